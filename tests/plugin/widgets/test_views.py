"""Views of a result, its planes and its report, each test with the same run."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFileDialog

from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from napari_inr_denoise.plugin.widgets.show_control import HOLD_KEY
from tests.conftest import process_events, wait_until
from tests.plugin.conftest import Run

pytestmark = pytest.mark.window
SHAPE = (3, 32, 24)


@pytest.fixture
def viewer(one_run: Run) -> Any:
    return one_run.viewer


@pytest.fixture
def after_stack(one_run: Run) -> InrDenoiseWidget:
    return one_run.widget


def _shown(viewer: Any, widget: InrDenoiseWidget, view: str) -> Any:
    """Show a view, and return its layer."""
    widget.results.show.value = view
    layer = widget.after_run.show.layer
    assert layer in viewer.layers
    return layer


def test_the_raw_residual_is_the_difference(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    noisy, denoised = viewer.layers
    selected = set(viewer.layers.selection)
    after_stack.results.raw.setChecked(True)
    removed = _shown(viewer, after_stack, "residual")
    assert removed.name == "noisy stack [residual]"
    assert np.allclose(removed.data, noisy.data - denoised.data, atol=1e-3)
    assert np.array_equal(removed.scale, noisy.scale)
    low, high = removed.contrast_limits
    assert low == -high
    process_events(0.1)
    assert set(viewer.layers.selection) == selected
    assert after_stack.layer.value is noisy  # what tells of a result is no choice
    after_stack.results.show.value = "result"
    wait_until(lambda: list(viewer.layers) == [noisy, denoised])


def test_the_residual_is_in_units_of_the_local_noise(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    finished = after_stack.after_run.offered
    assert finished is not None
    removed = _shown(viewer, after_stack, "residual")
    assert removed.name == "noisy stack [residual / sigma]"
    expected = finished.result.maps["normalized_residual"]
    assert np.allclose(removed.data, expected, atol=1e-2)
    assert removed.contrast_limits == [-4, 4]
    after_stack.strength.value = -0.5
    process_events(0.2)
    after_stack.results.raw.setChecked(True)  # made anew at the new strength
    after_stack.results.raw.setChecked(False)
    half = after_stack.after_run.show.layer
    assert half is not None
    assert half.name == "noisy stack [residual at strength -0.5 / sigma]"
    assert np.allclose(half.data, expected / 2, atol=1e-2)


def test_the_noisy_image_is_shown_and_hidden_again(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    noisy, denoised = viewer.layers
    noisy.visible = False
    after_stack.results.show.value = "noisy"
    assert noisy.visible
    assert not denoised.visible
    after_stack.results.show.value = "result"
    assert not noisy.visible
    assert denoised.visible
    held = viewer.keymap[next(key for key in viewer.keymap if str(key) == HOLD_KEY)]
    pressed = held(viewer)
    next(pressed)
    assert not denoised.visible
    next(pressed, None)
    assert denoised.visible


def test_uncertainty_is_offered_where_it_is_known(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    # The published method says nothing of it.
    assert "uncertainty" not in after_stack.results.show.choices
    known = np.full(SHAPE, 2.0, dtype=np.float32)
    known[0, 0, 0] = np.nan
    finished = after_stack.after_run.offered
    assert finished is not None
    finished.result = replace(finished.result, maps={"uncertainty": known})
    viewer.layers.selection.active = viewer.add_image(np.zeros((4, 4)), name="other")
    assert not after_stack.results.native.isVisibleTo(after_stack)
    viewer.layers.selection.active = viewer.layers[0]
    assert "uncertainty" in after_stack.results.show.choices
    layer = _shown(viewer, after_stack, "uncertainty")
    assert layer.name == "noisy stack [uncertainty, image units]"
    # Not by napari's overlays of text, whose removal can end the program.
    assert not getattr(getattr(layer, "colorbar", None), "visible", False)
    assert not getattr(getattr(layer, "name_overlay", None), "visible", False)
    show = after_stack.after_run.show
    bar = show.bar
    assert bar is not None
    assert bar.isVisible()
    assert bar.accessibleName() == layer.name
    canvas = bar.parentWidget()
    assert canvas is not None
    assert canvas.rect().contains(bar.geometry())
    drawn = bar.grab().toImage()
    layer.contrast_limits = (0, 3)
    assert bar.grab().toImage() != drawn
    layer.contrast_limits = (0, 2)
    assert layer.contrast_limits == [0, 2]
    assert np.array_equal(layer.data, known, equal_nan=True)
    after_stack.results.show.value = "result"
    assert show.bar is None
    assert bar.parentWidget() is None


def test_structured_noise_is_offered_where_it_was_removed(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    assert "structured" not in after_stack.results.show.choices
    removed = np.zeros(SHAPE, dtype=np.float32)
    removed[0], removed[1, 4], removed[2] = np.nan, -3.0, 1.0
    finished = after_stack.after_run.offered
    assert finished is not None
    finished.result = replace(finished.result, maps={"structured": removed})
    after_stack.after_run.offer(finished)
    layer = _shown(viewer, after_stack, "structured")
    assert layer.name == "noisy stack [structured, image units]"
    assert layer.contrast_limits == [-3, 3]
    assert np.array_equal(layer.data, removed, equal_nan=True)


def test_a_row_of_the_table_shows_its_plane(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    table = after_stack.results.table
    after_stack.results.planes.unfolded = True
    assert table.isVisibleTo(after_stack)
    assert table.rowCount() == 3
    assert after_stack.results.planes.title.startswith("Planes (3): ")
    for row in (2, 0, 1):
        table.selectRow(row)
        assert viewer.dims.current_step[0] == row
        assert table.item(row, 0).text().endswith(f"Z {row}")
    viewer.dims.set_current_step(0, 2)  # and the other way round
    assert table.currentRow() == 2


def test_a_sorted_table_shows_the_right_plane(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    table = after_stack.results.table
    table.sortItems(0, Qt.SortOrder.DescendingOrder)
    for row, plane in enumerate((2, 1, 0)):
        table.selectRow(row)
        assert viewer.dims.current_step[0] == plane


def test_the_report_is_saved_as_json_or_csv(
    tmp_path: Path, after_stack: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [""]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen[0], ""))
    after_stack.results.report_button.click()  # and no name is given
    for name in ("a.json", "a.csv", "a.html"):
        chosen[0] = str(tmp_path / name)
        after_stack.results.report_button.click()
        assert chosen[0] in after_stack.status_label.value
    (file,) = json.loads((tmp_path / "a.json").read_text())["files"]
    with (tmp_path / "a.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(file["planes"]) == len(rows) == 3
    assert "<img" in (tmp_path / "a.html").read_text(encoding="utf-8")
    chosen[0] = str(tmp_path / "missing" / "a.json")
    after_stack.results.report_button.click()
    assert "could not be saved" in after_stack.status_label.value


def test_a_residual_in_view_follows_the_strength(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    residual = _shown(viewer, after_stack, "residual")
    result = viewer.layers["noisy stack [denoised]"]
    for raw, strength in ((True, 0.0), (True, -0.5), (False, -0.5), (False, 0.0)):
        after_stack.results.raw.setChecked(raw)
        after_stack.strength.value = strength
        process_events(0.2)
        assert after_stack.after_run.show.layer is residual
        at = f" at strength {strength:g}" if strength else ""
        assert residual.name == (
            f"noisy stack [residual{at}{'' if raw else ' / sigma'}]"
        )
        if raw:
            removed = viewer.layers[0].data - np.asarray(result.data)
            assert np.allclose(np.asarray(residual.data), removed, atol=1e-3)
        else:
            assert residual.contrast_limits == [-4, 4]
    assert "strength" not in residual.name
