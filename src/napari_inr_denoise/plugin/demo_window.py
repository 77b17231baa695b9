"""The demonstration in napari: ``python -m ...plugin.demo_window DENOISED``."""

from __future__ import annotations

import sys

import napari

from napari_inr_denoise.plugin.reader import read_layers
from napari_inr_denoise.plugin.sample_data import cells


def open_demo(denoised: str) -> napari.Viewer:
    """Open napari with the sample, its denoised image and the widget.

    Parameters
    ----------
    denoised : str
        Path of the file that the demonstration wrote.
    """
    viewer = napari.Viewer(title="INR Denoise demo")
    ((noisy, keywords, _),) = cells()
    layer = viewer.add_image(noisy, **keywords)
    ((image, keywords, _),) = read_layers(denoised)
    keywords |= {"name": "noisy cells [denoised]"}
    viewer.add_image(image, **keywords, contrast_limits=layer.contrast_limits)
    viewer.window.add_plugin_dock_widget("napari-inr-denoise", "INR Denoise")
    return viewer


if __name__ == "__main__":
    open_demo(sys.argv[1])
    napari.run()
