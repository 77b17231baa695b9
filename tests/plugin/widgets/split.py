"""What tests of the split view share."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events


def shown(layer: Any) -> np.ndarray:
    """Return what the canvas shows of a layer, as it lies on the screen."""
    return np.asarray(layer._slice.image.view)


def assert_split(both: Any, noisy: np.ndarray, denoised: np.ndarray, at: int) -> None:
    seen = shown(both)
    assert np.array_equal(seen[:, :at], noisy[:, :at])
    assert np.array_equal(seen[:, at:], denoised[:, at:])


def cut_at(viewer: Any, widget: InrDenoiseWidget, column: int, columns: int) -> None:
    """Show all, and move the line to the left edge of a column on the screen."""
    viewer.reset_view()
    line, layer = widget.after_run.show.line, widget.after_run.show.layer
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
    across = viewer.dims.displayed[-1] - viewer.dims.ndim + layer.ndim
    width = columns * float(layer.extent.step[across]) * camera.zoom
    canvas = line.handle.parentWidget().width()
    line.position = 0.5 + (column / columns - 0.5) * width / canvas
    process_events(0.1)
