"""Before and after in the canvas: at the same place, and gone without a trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_inr_denoise.plugin.layers.metadata_keys import SHOWS_KEY
from napari_inr_denoise.plugin.layers.scope import STACK
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until

pytestmark = pytest.mark.window
NAME = "noisy stack [denoised] [split]"


def _ran(widget: InrDenoiseWidget) -> None:
    widget.run()
    wait_until(lambda: not widget.running)


def _shown(layer: Any) -> np.ndarray:
    """Return what the canvas shows of a layer, as it lies on the screen."""
    return np.asarray(layer._slice.image.view)


@pytest.fixture
def ran(viewer: Any, widget: InrDenoiseWidget) -> InrDenoiseWidget:
    """The widget after a run over a short stack."""
    source = viewer.layers[0]
    source.data = source.data[:3, :32, :24]
    widget.scope.value = STACK
    assert "split" not in widget.results.show.choices
    _ran(widget)
    return widget


@pytest.fixture
def compared(viewer: Any, ran: InrDenoiseWidget) -> InrDenoiseWidget:
    """The same, while before and after are compared."""
    viewer.layers.selection.active = viewer.layers[0]
    ran.results.show.value = "split"
    assert NAME in viewer.layers
    return ran


def _assert_split(both: Any, noisy: np.ndarray, denoised: np.ndarray, at: int) -> None:
    shown = _shown(both)
    assert np.array_equal(shown[:, :at], noisy[:, :at])
    assert np.array_equal(shown[:, at:], denoised[:, at:])


def test_noisy_is_left_and_the_result_right(
    viewer: Any, compared: InrDenoiseWidget
) -> None:
    source, result, both = viewer.layers
    assert both.metadata[SHOWS_KEY] == "split"
    assert compared.form.divide.enabled
    for plane, share, at in ((0, 500, 12), (2, 250, 6), (1, 0, 0), (1, 1000, 24)):
        viewer.dims.set_current_step(0, plane)
        compared.form.divide.value = share
        _assert_split(both, source.data[plane], result.data[plane], at)
    assert np.array_equal(both.extent.world, result.extent.world)
    assert both.contrast_limits == result.contrast_limits
    assert both.colormap.name == result.colormap.name
    assert compared.layer.value is source  # the selection of the new layer is no choice


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
    compared.form.divide.value = 0
    process_events(0.3)
    assert not (viewer.screenshot(canvas_only=True, flash=False)[..., 0] > 128).any()


def test_the_divide_is_upright_whatever_is_shown(
    viewer: Any, compared: InrDenoiseWidget
) -> None:
    source, result, both = viewer.layers
    viewer.dims.order = (2, 1, 0)  # rows and planes: planes run from left to right
    compared.form.divide.value = 400
    at = viewer.dims.current_step[2]
    noisy, denoised = source.data[:, :, at].T, result.data[:, :, at].T
    _assert_split(both, noisy, denoised, 1)
    viewer.dims.order = (0, 2, 1)  # columns from top to bottom
    at = viewer.dims.current_step[0]
    _assert_split(both, source.data[at].T, result.data[at].T, 13)


def test_a_mirrored_and_a_turned_layer(viewer: Any, widget: InrDenoiseWidget) -> None:
    rng = np.random.default_rng(0)
    noisy = rng.poisson(50, (20, 30)).astype(np.float32)
    layer = viewer.add_image(noisy, name="mirrored", scale=(1, -1))
    _ran(widget)
    widget.results.show.value = "split"
    both = viewer.layers["mirrored [denoised] [split]"]
    widget.form.divide.value = 200
    assert np.array_equal(_shown(both)[:, 24:], noisy[:, 24:])
    assert not np.allclose(_shown(both)[:, :24], noisy[:, :24])
    viewer.layers.remove(layer)
    viewer.add_image(noisy, name="turned", rotate=-90)
    _ran(widget)
    widget.results.show.value = "split"
    both = viewer.layers["turned [denoised] [split]"]
    # Rows run from right to left now.
    assert np.array_equal(_shown(both)[16:], noisy[16:])
    assert not np.allclose(_shown(both)[:16], noisy[:16])


def test_lazy_layers_are_read_slice_by_slice(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    import dask.array as da

    noisy = viewer.layers[0].data[:3, :32, :24]
    read: list[Any] = []

    def block(values: np.ndarray, block_info: Any = None) -> np.ndarray:
        if block_info:
            read.append(block_info[0]["chunk-location"])
        return values

    lazy = da.from_array(noisy, chunks=(1, 32, 24)).map_blocks(block, dtype=noisy.dtype)
    viewer.layers.clear()
    viewer.add_image(lazy, name="lazy")
    widget.scope.value = STACK
    _ran(widget)
    viewer.dims.set_current_step(0, 1)
    process_events(0.5)
    wait_until(lambda: widget.inputs.cost_label.value != "-")
    read.clear()
    widget.results.show.value = "split"
    # napari itself looks at the first slice of a new layer.
    assert set(read) == {(0, 0, 0), (1, 0, 0)}
    read.clear()
    for share in (100, 200, 300):
        widget.form.divide.value = share
    assert not read
    both = viewer.layers["lazy [denoised] [split]"]
    _assert_split(both, noisy[1], viewer.layers["lazy [denoised]"].data[1], 7)


def test_colours(viewer: Any, widget: InrDenoiseWidget) -> None:
    colours = np.random.default_rng(0).poisson(90, (32, 24, 3)).astype(np.uint8)
    viewer.add_image(colours, rgb=True, name="colours")
    _ran(widget)
    widget.results.show.value = "split"
    both = viewer.layers["colours [denoised] [split]"]
    assert both.rgb
    _assert_split(both, colours, viewer.layers["colours [denoised]"].data, 12)


def test_several_resolutions_are_compared_at_the_full_one(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    noisy = np.random.default_rng(0).poisson(50, (64, 64)).astype(np.float32)
    pyramid = viewer.add_image([noisy, noisy[::2, ::2]], name="pyramid")
    _ran(widget)
    widget.results.show.value = "split"
    both = viewer.layers["pyramid [denoised] [split]"]
    assert np.array_equal(_shown(both)[:, :32], noisy[:, :32])
    viewer.layers.remove(pyramid)
    wait_until(lambda: both not in viewer.layers)


def test_in_three_dimensions(viewer: Any, compared: InrDenoiseWidget) -> None:
    viewer.dims.ndisplay = 3
    process_events(0.2)
    source, result, both = viewer.layers
    assert np.array_equal(_shown(both)[..., :12], source.data[..., :12])
    assert np.array_equal(_shown(both)[..., 12:], result.data[..., 12:])
    viewer.dims.ndisplay = 2
    assert compared.form.divide.enabled


ENDINGS: dict[str, Callable[[Any, InrDenoiseWidget], object]] = {
    "the button": lambda _, widget: widget.results.show.value = "split",
    "the layer itself": lambda viewer, _: viewer.layers.remove(NAME),
    "the source": lambda viewer, _: viewer.layers.remove("noisy stack"),
    "the result": lambda viewer, _: viewer.layers.remove("noisy stack [denoised]"),
    "all layers": lambda viewer, _: viewer.layers.clear(),
    "another run": lambda _, widget: widget.preview(),
    "the dock": lambda viewer, widget: viewer.window.remove_dock_widget(widget.native),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_viewer_is_as_it_was(
    viewer: Any, compared: InrDenoiseWidget, ending: str
) -> None:
    source, result, _ = viewer.layers
    before = (viewer.dims.point, viewer.dims.order, viewer.layers.selection.active)
    assert before[2] != source  # but the comparison, as any new layer
    ENDINGS[ending](viewer, compared)
    assert not compared.form.compare_button.value
    assert not compared.form.divide.enabled
    wait_until(lambda: NAME not in viewer.layers)
    if source in viewer.layers:
        if ending != "another run":  # whose own layer is selected as it comes
            wait_until(lambda: viewer.layers.selection.active == source)
        assert source.visible
        assert (viewer.dims.point, viewer.dims.order) == before[:2]
    # Nothing listens to the result any more.
    result.data = result.data + 1
    wait_until(lambda: not compared.running)
    process_events(0.2)  # and the window can be drawn
    assert NAME not in viewer.layers


def test_it_can_begin_again(viewer: Any, compared: InrDenoiseWidget) -> None:
    for _ in range(2):
        compared.results.show.value = "split"
        assert len(viewer.layers) == 2
        compared.results.show.value = "split"
        assert len(viewer.layers) == 3


def test_a_selection_that_the_user_made_stays(
    viewer: Any, compared: InrDenoiseWidget
) -> None:
    result = viewer.layers[1]
    viewer.layers.selection.active = result
    compared.results.show.value = "split"
    assert viewer.layers.selection.active == result


def test_a_result_that_no_longer_fits_is_said(
    viewer: Any, ran: InrDenoiseWidget
) -> None:
    viewer.layers[1].data = np.zeros((2, 2, 2), np.float32)
    ran.results.show.value = "split"
    assert len(viewer.layers) == 2
    assert "There is no comparison: got a result of shape" in ran.status_label.value
    assert not ran.form.compare_button.value
