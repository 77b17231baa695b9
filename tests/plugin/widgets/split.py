"""What tests of the split view share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until

NAME = "noisy stack [split]"
Ending = Callable[[Any, InrDenoiseWidget], object]


def shown(layer: Any) -> np.ndarray:
    """Return what the canvas shows of a layer, as it lies on the screen."""
    return np.asarray(layer._slice.image.view)


def assert_split(both: Any, noisy: np.ndarray, denoised: np.ndarray, at: int) -> None:
    """Wait until noisy is left of a column and denoised from there on."""
    cut = np.hstack([noisy[:, :at], denoised[:, at:]])
    wait_until(lambda: np.array_equal(shown(both), cut), 5)


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


def assert_ended(
    viewer: Any, widget: InrDenoiseWidget, end: Ending, *, source_selected: bool = True
) -> None:
    """End the comparison; the viewer must be as it was, and nothing must listen."""
    source, result, _ = viewer.layers
    before = (viewer.dims.point, viewer.dims.order)
    end(viewer, widget)
    assert widget.results.show.value == "result"
    assert widget.after_run.show.line.handle is None
    wait_until(lambda: NAME not in viewer.layers)
    if source in viewer.layers:
        if source_selected:
            wait_until(lambda: viewer.layers.selection.active == source)
        assert source.visible
        assert (viewer.dims.point, viewer.dims.order) == before
    # Nothing listens to the result any more.
    result.data = result.data + 1
    wait_until(lambda: not widget.running)
    process_events(0.2)  # and the window can be drawn
    assert NAME not in viewer.layers
