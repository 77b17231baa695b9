"""The demonstration in napari: ``python -m ...plugin.demo_window DENOISED``."""

from __future__ import annotations

import sys

import napari
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_inr_denoise.plugin.commands import shown_widget
from napari_inr_denoise.plugin.layers.files.layer_kwargs import spatial_kwargs
from napari_inr_denoise.plugin.results.views import SPLIT
from napari_inr_denoise.plugin.sample_data import cells
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from napari_inr_denoise.samples import field_of_cells

_SIZE = (1280, 800)
_SHOWN_MS = 500
_MARGIN = 60
"""Pixels of the screen that a window leaves free, for its frame and a task bar."""


def open_demo(denoised: str) -> napari.Viewer:
    """Open napari with the sample, its truth, its result, and the panel in split view.

    Parameters
    ----------
    denoised : str
        Path of the file that the demonstration wrote.
    """
    viewer = napari.Viewer(title="INR Denoise demo")
    width, height = _SIZE
    screen = QApplication.primaryScreen()
    if screen is not None:
        room = screen.availableGeometry()
        width = min(width, room.width() - _MARGIN)
        height = min(height, room.height() - _MARGIN)
    viewer.window.resize(width, height)
    sample = field_of_cells()
    ((noisy, keywords, _),) = cells()
    layer = viewer.add_image(noisy, **keywords)
    place = spatial_kwargs(sample.axes, sample.spacing_um, sample.time_step_s)
    limits = {"contrast_limits": layer.contrast_limits}
    viewer.add_image(sample.truth, name="truth", visible=False, **place, **limits)
    (result,) = viewer.open(denoised, plugin="napari-inr-denoise")
    result.name = f"{layer.name} [denoised]"  # by which the panel finds the noisy image
    result.contrast_limits = layer.contrast_limits
    viewer.layers.selection.active = result
    panel = shown_widget(viewer)
    # Once the window is shown: the line is drawn on its canvas.
    QTimer.singleShot(_SHOWN_MS, lambda: _split(panel))
    return viewer


def _split(panel: InrDenoiseWidget) -> None:
    panel.results.show.value = SPLIT


if __name__ == "__main__":
    open_demo(sys.argv[1])
    napari.run()
