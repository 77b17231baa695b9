"""What is selected among two results decides what is told, in the same window."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QFileDialog

from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until
from tests.plugin.results.two import noisy_planes, two_results

pytestmark = pytest.mark.window


@pytest.fixture(scope="module")
def _restore(window_of_all: tuple[Any, InrDenoiseWidget]) -> Callable[[], None]:
    """Denoise both, and return how to get back there."""
    viewer, widget = window_of_all
    two_results(viewer, widget)
    layers, active = list(viewer.layers), viewer.layers.selection.active

    def restore() -> None:
        widget.results.show.value = "result"
        widget.results.raw.setChecked(False)
        wait_until(lambda: widget.after_run.show.layer is None)
        for one in set(viewer.layers) - set(layers):
            viewer.layers.remove(one)
        for name in "ab":
            viewer.layers.selection.active = viewer.layers[f"{name} [denoised]"]
            widget.results.show.value = "result"
            widget.strength.value = 0.0
            process_events(0.2)
        viewer.layers.selection.active = active
        assert set(viewer.layers) == set(layers)

    return restore


@pytest.fixture
def viewer(
    window_of_all: tuple[Any, InrDenoiseWidget], _restore: Callable[[], None]
) -> Any:
    _restore()
    return window_of_all[0]


@pytest.fixture
def widget(
    window_of_all: tuple[Any, InrDenoiseWidget],
    viewer: Any,  # noqa: ARG001 - as after the run
) -> InrDenoiseWidget:
    return window_of_all[1]


@pytest.fixture
def two(viewer: Any) -> tuple[Any, Any]:
    return viewer.layers["a"], viewer.layers["b"]


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
    viewer.add_image(noisy_planes(2, 9), name="fresh")
    assert not widget.results.native.isVisibleTo(widget)
    assert widget.results.table.rowCount() == 0
    viewer.layers.selection.active = two[0]
    assert widget.results.native.isVisibleTo(widget)
    viewer.add_points(np.zeros((1, 3)))
    assert not widget.results.native.isVisibleTo(widget)


def test_a_renamed_layer_has_its_new_name_everywhere(
    viewer: Any, widget: InrDenoiseWidget, two: tuple[Any, Any]
) -> None:
    first, second = two
    result = viewer.layers["b [denoised]"]
    labels = viewer.add_labels(np.ones((28, 28), int), name="mask")
    viewer.layers.selection.active = second
    widget.region.value = labels
    first.name, second.name, labels.name = "spare", "a", "cells"
    first.name = "b"  # the names of both are exchanged
    result.name = "mine"
    assert widget.layer.value is second
    assert widget.layer.native.currentText() == "a"
    listed = widget.layer.native
    names = {listed.itemText(k): listed.itemData(k) for k in range(listed.count())}
    assert names == {"a": second, "b": first}
    assert widget.region.value is labels
    assert widget.region.native.currentText() == "cells"
    assert widget.results.title.value == "mine"
    first.name, result.name = "spare", "b [denoised]"
    second.name = "b"
    first.name = "a"
    widget.region.value = None
