"""Several results: each layer has its own, and none outlives its layer."""

from __future__ import annotations

import gc
import json
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.qt.threading import WorkerBase
from qtpy.QtWidgets import QFileDialog

from napari_inr_denoise.plugin.controls.file_dialogs import save_settings
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.scope import STACK
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import at_work, process_events, wait_until

pytestmark = pytest.mark.window


def _noisy(planes: int, level: float) -> Any:
    return np.random.default_rng(0).normal(level, 9, (planes, 28, 28))


@pytest.fixture
def two(viewer: Any, widget: InrDenoiseWidget) -> tuple[Any, Any]:
    """Stacks of two and of three planes that were denoised by one press of Run."""
    viewer.layers.clear()
    layers = [
        viewer.add_image(_noisy(planes, 50 * planes), name=name)
        for planes, name in ((2, "a"), (3, "b"))
    ]
    widget.layer.value = layers[0]
    widget.scope.value = STACK
    viewer.layers.selection = set(layers)
    widget.run()
    wait_until(lambda: not widget.running)
    return layers[0], layers[1]


def test_all_follows_the_layer_that_is_selected(
    viewer: Any,
    widget: InrDenoiseWidget,
    two: tuple[Any, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "report.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    assert widget.results.table.rowCount() == 3  # the last one's
    for source, planes in (*zip(two, (2, 3), strict=True), (two[0], 2)):
        result = viewer.layers[f"{source.name} [denoised]"]
        for selected in (source, result):
            viewer.layers.selection.active = selected
            assert widget.results.table.rowCount() == planes
            assert widget.results.title.value == f"{source.name} [denoised]"
            assert widget.layer.value is source
        widget.results.report_button.click()
        (file,) = json.loads(path.read_text())["files"]
        assert len(file["planes"]) == planes
        widget.results.raw.setChecked(True)
        widget.results.show.value = "residual"
        removed = widget.after_run.show.layer
        assert np.allclose(removed.data, source.data - result.data, atol=1e-3)
        assert (
            widget.results.table.rowCount() == planes
        )  # what tells of a result is no choice
        viewer.layers.remove(removed)
        assert widget.results.show.value == "result"


def test_each_has_its_own_strength(
    viewer: Any, widget: InrDenoiseWidget, two: tuple[Any, Any]
) -> None:
    first, second = (viewer.layers[f"{name} [denoised]"] for name in "ab")
    fitted = second.data
    viewer.layers.selection.active = first
    widget.strength.value = -1.0
    process_events(0.2)
    assert np.allclose(np.asarray(first.data), two[0].data, atol=1e-3)
    viewer.layers.selection.active = two[1]
    assert widget.strength.value == 0
    process_events(0.2)
    assert second.data is fitted
    viewer.layers.selection.active = two[0]
    assert widget.strength.value == -1
    assert widget.results.keep_button.isVisibleTo(widget)
    assert first.metadata[REPORT_KEY]["settings"]["strength"] == -1
    assert second.metadata[REPORT_KEY]["settings"]["strength"] == 0


def test_a_comparison_ends_when_the_user_turns_to_another_result(
    viewer: Any, widget: InrDenoiseWidget, two: tuple[Any, Any]
) -> None:
    viewer.layers.selection.active = two[0]
    widget.results.show.value = "split"
    both = viewer.layers["a [split]"]
    viewer.layers.selection.active = two[0]
    assert widget.results.show.value == "split"
    viewer.layers.selection.active = two[1]
    assert widget.results.show.value == "result"
    wait_until(lambda: both not in viewer.layers)
    assert viewer.layers.selection.active == two[1]
    widget.results.show.value = "split"
    assert "b [split]" in viewer.layers


def test_an_image_without_a_result_has_nothing(
    viewer: Any, widget: InrDenoiseWidget, two: tuple[Any, Any]
) -> None:
    viewer.add_image(_noisy(2, 9), name="fresh")
    assert not widget.results.native.isVisibleTo(widget)
    assert widget.results.table.rowCount() == 0
    viewer.layers.selection.active = two[0]
    assert widget.results.native.isVisibleTo(widget)
    viewer.add_points(np.zeros((1, 3)))
    assert not widget.results.native.isVisibleTo(widget)


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
    viewer.layers.clear()
    layers = [viewer.add_image(_noisy(1, 9)[0], name=name) for name in "ab"]
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


def test_a_source_that_goes_in_mid_run_leaves_a_result_at_the_chosen_strength(
    viewer: Any, widget: InrDenoiseWidget, tmp_path: Path
) -> None:
    saved = tmp_path / "mine.json"
    save_settings(replace(widget.settings, strength=-1.0), saved)
    widget.load(saved)
    viewer.layers.clear()
    layer = viewer.add_image(_noisy(1, 90)[0], name="a")
    noisy = layer.data
    widget.run()
    viewer.layers.remove(layer)
    result = widget.wait()
    assert result is not None
    assert np.allclose(np.asarray(result.data), noisy, atol=1e-3)
    assert widget.results.native.isVisibleTo(widget)
    assert "residual" not in widget.results.show.choices
