"""The noisy image beside the result, each test with the same run."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPointF, Qt
from qtpy.QtGui import QKeyEvent, QMouseEvent
from qtpy.QtWidgets import QApplication

from napari_inr_denoise.plugin.layers.metadata_keys import SHOWS_KEY
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until
from tests.plugin.conftest import Run
from tests.plugin.widgets.split import (
    NAME,
    Ending,
    assert_ended,
    assert_split,
    cut_at,
    shown,
)

pytestmark = pytest.mark.window


@pytest.fixture
def viewer(one_run: Run) -> Any:
    return one_run.viewer


@pytest.fixture
def compared(viewer: Any, one_run: Run) -> InrDenoiseWidget:
    """The widget after a run, while before and after are compared."""
    viewer.layers.selection.active = viewer.layers[0]
    one_run.widget.results.show.value = "split"
    one_run.widget.after_run.show.line.position = 0.5
    assert NAME in viewer.layers
    return one_run.widget


def test_noisy_is_left_and_the_result_right(
    viewer: Any, compared: InrDenoiseWidget
) -> None:
    source, result, both = viewer.layers
    assert both.metadata[SHOWS_KEY] == "split"
    for plane, column in ((0, 12), (2, 6), (1, 20)):
        viewer.dims.set_current_step(0, plane)
        cut_at(viewer, compared, column, 24)
        assert_split(both, source.data[plane], result.data[plane], column)
    assert np.array_equal(both.extent.world, result.extent.world)
    assert both.contrast_limits == result.contrast_limits
    assert both.colormap.name == result.colormap.name
    assert compared.layer.value is source  # the selection of the new layer is no choice


@pytest.mark.usefixtures("compared")
def test_it_follows_the_look_of_the_result(viewer: Any) -> None:
    _, result, both = viewer.layers
    before = result.contrast_limits, result.colormap, result.gamma
    try:
        result.contrast_limits, result.colormap, result.gamma = (101, 104), "red", 0.5
        assert both.contrast_limits == [101, 104]
        assert both.colormap.name == "red"
        assert both.gamma == 0.5
    finally:
        result.contrast_limits, result.colormap, result.gamma = before


def test_there_is_no_line_in_the_grid(viewer: Any, compared: InrDenoiseWidget) -> None:
    grid = getattr(viewer, "canvas", viewer).grid
    try:
        grid.enabled = True
        wait_until(lambda: NAME not in viewer.layers)
        assert compared.results.show.value == "result"
        assert "grid" in compared.status_label.value
        compared.status_label.value = ""
        compared.results.show.value = "split"
        assert compared.results.show.value == "result"
        assert compared.after_run.show.line.handle is None
        assert "grid" in compared.status_label.value
    finally:
        grid.enabled = False
    compared.results.show.value = "split"
    assert NAME in viewer.layers


def test_the_line_is_always_in_view(viewer: Any, compared: InrDenoiseWidget) -> None:
    source, result, both = viewer.layers
    line = compared.after_run.show.line
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
    plane = viewer.dims.current_step[0]
    cut_at(viewer, compared, 12, 24)
    camera.zoom *= 3
    step = both.extent.step[-1]
    camera.center = (0.0, 16.0 * step, 5.5 * step)
    process_events(0.1)
    canvas = line.handle.parentWidget()
    assert line.handle.isVisible()
    assert 0 < line.handle.geometry().center().x() < canvas.width()
    # The line stays on the screen; the image moves below it.
    assert_split(both, source.data[plane], result.data[plane], 6)
    for position in (-3.0, 5.0):
        line.position = position
        assert 0 < line.position < 1


def test_the_line_is_dragged_and_moved_by_keys(
    viewer: Any, compared: InrDenoiseWidget
) -> None:
    line = compared.after_run.show.line
    centre = viewer.camera.center if not hasattr(viewer, "scene") else None
    handle = line.handle
    canvas = handle.parentWidget()
    at = QPointF(handle.width() / 2 + canvas.width() / 4, 50)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    for kind in (QEvent.Type.MouseButtonPress, QEvent.Type.MouseMove):
        QApplication.sendEvent(handle, QMouseEvent(kind, at, at, left, left, none))
    assert line.position == pytest.approx(0.75, abs=0.01)
    key = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Left, none)
    QApplication.sendEvent(handle, key)
    assert line.position == pytest.approx(0.73, abs=0.01)
    assert centre is None or centre == viewer.camera.center


def test_it_is_drawn(viewer: Any, compared: InrDenoiseWidget) -> None:
    source, result, both = viewer.layers
    source.visible = result.visible = False
    both.contrast_limits = (0, 1)
    result.data = np.zeros(result.data.shape, np.float32)  # black; the rest is white
    viewer.reset_view()
    process_events(0.3)
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., 0] > 128
    high, wide = picture.shape
    across = picture[high // 2]
    assert across[wide // 2 - 8 : wide // 2 - 2].all()
    assert not across[wide // 2 + 2 :].any()
    compared.after_run.show.line.position = 0.0  # outside of the image
    process_events(0.3)
    assert not (viewer.screenshot(canvas_only=True, flash=False)[..., 0] > 128).any()


def test_the_divide_is_upright_whatever_is_shown(
    viewer: Any, compared: InrDenoiseWidget
) -> None:
    source, result, both = viewer.layers
    viewer.dims.order = (2, 1, 0)  # rows and planes: planes run from left to right
    cut_at(viewer, compared, 1, 3)
    at = viewer.dims.current_step[2]
    noisy, denoised = source.data[:, :, at].T, result.data[:, :, at].T
    assert_split(both, noisy, denoised, 1)
    viewer.dims.order = (0, 2, 1)  # columns from top to bottom
    cut_at(viewer, compared, 13, 32)
    at = viewer.dims.current_step[0]
    assert_split(both, source.data[at].T, result.data[at].T, 13)


@pytest.mark.usefixtures("compared")
def test_in_three_dimensions(viewer: Any) -> None:
    viewer.dims.ndisplay = 3
    process_events(0.2)
    source, result, both = viewer.layers
    assert np.array_equal(shown(both)[..., :12], source.data[..., :12])
    assert np.array_equal(shown(both)[..., 12:], result.data[..., 12:])
    viewer.dims.ndisplay = 2


def test_it_can_begin_again(viewer: Any, compared: InrDenoiseWidget) -> None:
    for _ in range(2):
        compared.results.show.value = "result"
        wait_until(lambda: len(viewer.layers) == 2)
        compared.results.show.value = "split"
        assert len(viewer.layers) == 3


def test_the_selection_stays(viewer: Any, compared: InrDenoiseWidget) -> None:
    result = viewer.layers[1]
    viewer.layers.selection.active = result
    assert NAME in viewer.layers  # the same result
    compared.results.show.value = "residual"
    assert viewer.layers.selection.active == result
    compared.results.show.value = "result"
    wait_until(lambda: len(viewer.layers) == 2)
    assert viewer.layers.selection.active == result


ENDINGS: dict[str, Ending] = {
    "the button": lambda _, widget: widget.results.show.button("result").click(),
    "the layer itself": lambda viewer, _: viewer.layers.remove(NAME),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_viewer_is_as_it_was(
    viewer: Any, compared: InrDenoiseWidget, ending: str
) -> None:
    assert_ended(viewer, compared, ENDINGS[ending])
