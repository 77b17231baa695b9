"""Several results: each layer has its own, and none outlives its layer."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.qt.threading import WorkerBase

from napari_inr_denoise.plugin.controls.file_dialogs import save_settings
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import at_work, process_events, wait_until
from tests.plugin.conftest import PLUGIN, end_with_dock
from tests.plugin.results.two import noisy_planes, two_results

pytestmark = pytest.mark.window


@pytest.fixture
def widget(bare_widget: InrDenoiseWidget) -> InrDenoiseWidget:
    return bare_widget


@pytest.fixture
def two(viewer: Any, widget: InrDenoiseWidget) -> tuple[Any, Any]:
    return two_results(viewer, widget)


def test_a_preview_is_not_the_result_of_its_image(
    viewer: Any, widget: InrDenoiseWidget, two: tuple[Any, Any]
) -> None:
    viewer.layers.selection.active = two[0]
    widget.preview()
    wait_until(lambda: not widget.running)
    assert widget.results.title.value == "a [preview]"
    viewer.layers.selection.active = two[0]
    assert widget.results.title.value == "a [denoised]"
    assert widget.results.table.rowCount() == 2


def test_strength_and_choices_stay_what_they_were(
    viewer: Any, widget: InrDenoiseWidget, two: tuple[Any, Any]
) -> None:
    viewer.layers.selection.active = two[0]
    before = (widget.settings, widget.scope.value, widget.layer.value)
    widget.strength.value = 0.5
    process_events(0.2)
    assert (widget.settings, widget.scope.value, widget.layer.value) == before
    widget.run()
    made = widget.wait()
    assert made is not None
    assert made.metadata[REPORT_KEY]["settings"]["strength"] == 0
    assert widget.strength.value == 0
    assert (widget.settings, widget.scope.value, widget.layer.value) == before
    assert made not in widget.layer.choices


@pytest.mark.usefixtures("endless")
def test_a_result_can_be_looked_at_while_the_next_is_made(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    layers = [viewer.add_image(noisy_planes(1, 9)[0], name=name) for name in "ab"]
    widget.layer.value = layers[0]
    widget.run()
    wait_until(lambda: at_work(widget))
    widget.stop()
    wait_until(lambda: not widget.running)
    viewer.layers.selection.active = layers[1]
    widget.run()
    assert not widget.results.native.isVisibleTo(widget)
    wait_until(lambda: at_work(widget))
    viewer.layers.selection.active = viewer.layers["a [denoised, partial]"]
    assert widget.results.native.isVisibleTo(widget)
    widget.stop()
    wait_until(lambda: not widget.running)
    # The user goes on looking at the first.
    widget.results.show.value = "residual"
    assert "a [residual]" in viewer.layers


def test_what_is_removed_is_not_kept_in_memory(
    viewer: Any, widget: InrDenoiseWidget, two: tuple[Any, Any]
) -> None:
    result = viewer.layers["a [denoised]"]
    noisy = weakref.ref(two[0].data)
    viewer.layers.selection.active = result
    viewer.layers.remove("a")
    assert widget.results.native.isVisibleTo(widget)
    assert "residual" not in widget.results.show.choices
    assert "split" not in widget.results.show.choices
    assert not widget.strength.isVisibleTo(widget)  # there is nothing to mix with
    assert isinstance(result.data, np.ndarray)
    made = weakref.ref(result.data)
    viewer.layers.remove(result)
    two[0].data = np.zeros((1, 4, 4))  # the test has the layer itself
    del result
    wait_until(lambda: not WorkerBase._worker_set)
    process_events(0.6)  # the answer to what is selected now has its worker
    wait_until(lambda: not WorkerBase._worker_set)
    gc.collect()
    assert noisy() is None
    assert made() is None


def test_results_stay_when_the_panel_is_closed_and_opened_again(
    viewer: Any, widget: InrDenoiseWidget, two: tuple[Any, Any]
) -> None:
    viewer.layers.selection.active = two[0]
    widget.strength.value = 0.5
    process_events(0.2)
    views = widget.results.show.choices
    viewer.window.remove_dock_widget(widget.native)
    viewer.layers.remove("b [denoised]")
    viewer.layers.selection.active = two[0]
    _, again = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    assert again is not widget
    assert again.results.title.value == "a [denoised]"
    assert again.results.show.choices == views
    assert again.results.table.rowCount() == 2
    assert again.strength.isEnabled()
    assert again.strength.value == 0.5
    viewer.layers.selection.active = two[1]
    assert not again.results.native.isVisibleTo(again)
    end_with_dock(viewer, again)


def test_a_source_that_goes_in_mid_run_leaves_a_result_at_the_chosen_strength(
    viewer: Any, widget: InrDenoiseWidget, tmp_path: Path
) -> None:
    saved = tmp_path / "mine.json"
    save_settings(replace(widget.settings, strength=-1.0), saved)
    widget.load(saved)
    layer = viewer.add_image(noisy_planes(1, 90)[0], name="a")
    noisy = layer.data
    widget.run()
    viewer.layers.remove(layer)
    result = widget.wait()
    assert result is not None
    assert np.allclose(np.asarray(result.data), noisy, atol=1e-3)
    assert widget.results.native.isVisibleTo(widget)
    assert "residual" not in widget.results.show.choices
