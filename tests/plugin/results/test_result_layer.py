"""The result can be seen while it is made."""

from __future__ import annotations

from typing import Any

import dask.array as da
import numpy as np
import pytest

from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.source.scope import STACK
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import at_work, wait_until

pytestmark = [pytest.mark.drawn, pytest.mark.window]


@pytest.mark.usefixtures("endless")
def test_it_is_there_from_the_start_on(viewer: Any, widget: InrDenoiseWidget) -> None:
    source = viewer.layers[0]
    widget.scope.value = STACK
    widget.run()
    layer = viewer.layers[1]
    assert layer.name == "noisy stack [denoised]"
    assert np.array_equal(layer.data, source.data)
    wait_until(lambda: not np.array_equal(layer.data[0], source.data[0]))
    assert widget.running
    assert layer.data.shape == source.data.shape
    assert layer.data.dtype == np.float32
    assert np.array_equal(layer.data[-1], source.data[-1])  # not reached yet
    first = layer.data[0].copy()
    wait_until(lambda: not np.array_equal(layer.data[0], first))
    assert REPORT_KEY not in layer.metadata
    widget.stop()
    wait_until(lambda: not widget.running)
    assert list(viewer.layers) == [source, layer]
    assert layer.metadata[REPORT_KEY]["files"][0]["planes"]


@pytest.mark.usefixtures("endless")
def test_a_layer_that_was_removed_comes_back_with_the_result(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    widget.run()
    wait_until(lambda: at_work(widget))
    viewer.layers.pop()
    steps = widget.run_bar.phase_label.value
    wait_until(lambda: widget.run_bar.phase_label.value != steps)
    assert len(viewer.layers) == 1
    widget.stop()
    wait_until(lambda: not widget.running)
    assert REPORT_KEY in viewer.layers[1].metadata


@pytest.mark.usefixtures("endless")
@pytest.mark.parametrize("rgb", [False, True])
def test_it_is_blank_at_first_where_reading_may_take_long(
    viewer: Any, widget: InrDenoiseWidget, rng: np.random.Generator, rgb: bool
) -> None:
    noisy = rng.poisson(90, (2, 32, 32, 3) if rgb else (2, 32, 32)).astype(np.uint8)
    lazy = viewer.add_image(da.from_array(noisy), rgb=rgb, name="lazy")
    widget.layer.value = lazy
    widget.scope.value = STACK
    widget.run()
    layer = viewer.layers["lazy [denoised]"]
    assert layer.data.shape == noisy.shape
    assert not np.any(layer.data)
    wait_until(lambda: bool(np.any(layer.data)))
    assert abs(layer.data[0].mean() - 90) < 5
    widget.stop()
    wait_until(lambda: not widget.running)
    assert layer in viewer.layers


@pytest.fixture
def colours(viewer: Any, rng: np.random.Generator) -> Any:
    """A layer of two planes in colours of whole numbers, alone in the viewer."""
    noisy = rng.poisson(90, (2, 32, 32, 3)).astype(np.uint8)
    return viewer.add_image(noisy, rgb=True, name="colours")


@pytest.mark.usefixtures("endless")
def test_colours_sharpen_in_whole_numbers(
    viewer: Any, bare_widget: InrDenoiseWidget, colours: Any
) -> None:
    bare_widget.layer.value = colours
    bare_widget.scope.value = STACK
    bare_widget.run()
    layer = viewer.layers[1]
    assert layer.rgb
    assert layer.data.dtype == np.uint8
    np.testing.assert_array_equal(layer.data[1], colours.data[1])  # not reached yet
    wait_until(lambda: not np.array_equal(layer.data[0], colours.data[0]))
    assert abs(layer.data[0].mean() - 90) < 5
    bare_widget.stop()
    wait_until(lambda: not bare_widget.running)
    assert list(viewer.layers) == [colours, layer]
    assert layer.metadata[REPORT_KEY]["files"][0]["planes"]


def test_finished_colours_are_whole_numbers(
    viewer: Any, bare_widget: InrDenoiseWidget, colours: Any
) -> None:
    bare_widget.layer.value = colours
    bare_widget.scope.value = STACK
    bare_widget.run()
    wait_until(lambda: not bare_widget.running)
    result = viewer.layers[1].data
    assert result.dtype == np.uint8
    assert not np.array_equal(result[1], colours.data[1])
