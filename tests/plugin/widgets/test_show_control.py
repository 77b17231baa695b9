"""Views of a result: at the same place, one at a time, and gone without a trace."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.qt.threading import WorkerBase

from napari_inr_denoise.plugin.layers.source.scope import STACK
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from napari_inr_denoise.samples import small_stack
from tests.conftest import process_events, wait_until
from tests.plugin.widgets.split import (
    NAME,
    Ending,
    assert_ended,
    assert_split,
    cut_at,
    shown,
)

pytestmark = pytest.mark.window


def _ran(widget: InrDenoiseWidget) -> None:
    widget.run()
    wait_until(lambda: not widget.running)


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


def test_a_mirrored_and_a_turned_layer(viewer: Any, widget: InrDenoiseWidget) -> None:
    rng = np.random.default_rng(0)
    noisy = rng.poisson(50, (20, 30)).astype(np.float32)
    layer = viewer.add_image(noisy, name="mirrored", scale=(1, -1))
    _ran(widget)
    widget.results.show.value = "split"
    both = viewer.layers["mirrored [split]"]
    cut_at(viewer, widget, 6, 30)
    assert np.array_equal(shown(both)[:, 24:], noisy[:, 24:])
    assert not np.allclose(shown(both)[:, :24], noisy[:, :24])
    viewer.layers.remove(layer)
    viewer.add_image(noisy, name="turned", rotate=-90)
    _ran(widget)
    widget.results.show.value = "split"
    both = viewer.layers["turned [split]"]
    cut_at(viewer, widget, 4, 20)
    # Rows run from right to left now.
    assert np.array_equal(shown(both)[16:], noisy[16:])
    assert not np.allclose(shown(both)[:16], noisy[:16])


def test_lazy_layers_are_read_slice_by_slice(
    viewer: Any, bare_widget: InrDenoiseWidget
) -> None:
    import dask.array as da

    noisy = small_stack(planes=3, side=32).noisy[..., :24]
    read: list[Any] = []

    def block(values: np.ndarray, block_info: Any = None) -> np.ndarray:
        if block_info:
            read.append(block_info[0]["chunk-location"])
        return values

    lazy = da.from_array(noisy, chunks=(1, 32, 24)).map_blocks(block, dtype=noisy.dtype)
    viewer.add_image(lazy, name="lazy")
    bare_widget.scope.value = STACK
    _ran(bare_widget)
    viewer.dims.set_current_step(0, 1)
    process_events(0.5)
    wait_until(lambda: not WorkerBase._worker_set)
    read.clear()
    bare_widget.results.show.value = "split"
    # napari itself looks at the first slice of a new layer.
    assert set(read) == {(0, 0, 0), (1, 0, 0)}
    process_events(0.1)
    read.clear()
    for column in (3, 5, 7):
        cut_at(viewer, bare_widget, column, 24)
    assert not read
    both = viewer.layers["lazy [split]"]
    assert_split(both, noisy[1], viewer.layers["lazy [denoised]"].data[1], 7)


def test_colours(viewer: Any, bare_widget: InrDenoiseWidget) -> None:
    colours = np.random.default_rng(0).poisson(90, (32, 24, 3)).astype(np.uint8)
    viewer.add_image(colours, rgb=True, name="colours")
    _ran(bare_widget)
    bare_widget.results.show.value = "split"
    both = viewer.layers["colours [split]"]
    assert both.rgb
    cut_at(viewer, bare_widget, 12, 24)
    assert_split(both, colours, viewer.layers["colours [denoised]"].data, 12)


def test_several_resolutions_are_compared_at_the_full_one(
    viewer: Any, bare_widget: InrDenoiseWidget
) -> None:
    noisy = np.random.default_rng(0).poisson(50, (64, 64)).astype(np.float32)
    pyramid = viewer.add_image([noisy, noisy[::2, ::2]], name="pyramid")
    _ran(bare_widget)
    bare_widget.results.show.value = "split"
    both = viewer.layers["pyramid [split]"]
    cut_at(viewer, bare_widget, 32, 64)
    assert np.array_equal(shown(both)[:, :32], noisy[:, :32])
    viewer.layers.remove(pyramid)
    wait_until(lambda: both not in viewer.layers)


ENDINGS: dict[str, Ending] = {
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
    """Two more endings are in `test_split_view`."""
    # Its own layer is selected as it comes.
    kept = ending != "another run"
    assert_ended(viewer, compared, ENDINGS[ending], source_selected=kept)


def test_a_result_that_no_longer_fits_is_said(
    viewer: Any, ran: InrDenoiseWidget
) -> None:
    viewer.layers[1].data = np.zeros((2, 2, 2), np.float32)
    ran.results.show.value = "split"
    assert len(viewer.layers) == 2
    assert "This cannot be shown: got a result of shape" in ran.status_label.value
    assert ran.results.show.value == "result"


def test_two_qualities_are_previewed_side_by_side(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    widget.compare("best")
    widget.wait()
    show = widget.results.show
    assert show.value == "compared"
    name = f"{viewer.layers[0].name} [preview]"
    # One preview, and the view: the first preview is no layer any more.
    assert [one.name for one in viewer.layers[1:]] == [name, "noisy stack [compared]"]
    compared, result = viewer.layers[-1], viewer.layers[name]
    widget.after_run.show.line.position = 0.5
    process_events(0.1)
    both, half = np.asarray(compared.data[...]), result.data.shape[-1] // 2
    assert np.array_equal(both[..., half + 8 :], result.data[..., half + 8 :])
    finished = widget.after_run.offered
    assert finished is not None
    assert finished.other is not None
    before = finished.other.result.image
    assert np.array_equal(both[..., : half - 8], before[..., : half - 8])
    show.value = "result"
    widget.preview()
    widget.wait()
    assert "compared" not in show.choices
