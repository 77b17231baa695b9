"""What can be done with a result, and the preview of what is visible."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari_inr_denoise.plugin.results.diagnostic_layers import residual_layer
from qtpy.QtWidgets import QFileDialog

from napari_inr_denoise.plugin.layers.scope import SLICE, STACK, VISIBLE
from napari_inr_denoise.plugin.layers.source import PREVIEW_SIDE, take_source
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until

pytestmark = pytest.mark.window
SHAPE = (3, 32, 32)


@pytest.fixture
def after_stack(viewer: Any, widget: InrDenoiseWidget) -> InrDenoiseWidget:
    """The widget after a run over a short stack."""
    source = viewer.layers[0]
    source.data = source.data[tuple(map(slice, SHAPE))]
    widget.scope.value = STACK
    widget.run()
    assert "residual" not in widget.results.show.choices
    wait_until(lambda: not widget.running)
    return widget


def test_what_was_removed_is_the_difference(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    noisy, denoised = viewer.layers
    after_stack.results.show.value = "residual"
    removed = viewer.layers[-1]
    assert removed.name == "noisy stack [residual]"
    assert np.allclose(removed.data, noisy.data - denoised.data, atol=1e-3)
    assert np.array_equal(removed.scale, noisy.scale)
    low, high = removed.contrast_limits
    assert low == -high
    process_events(0.1)
    assert after_stack.layer.value is noisy  # not what tells of a result


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
    after_stack.results.show.value = "uncertainty"
    layer = viewer.layers[-1]
    assert layer.name == "noisy stack [uncertainty]"
    assert layer.contrast_limits == [0, 2]
    assert np.array_equal(layer.data, known, equal_nan=True)


def test_structured_noise_is_offered_where_it_was_removed(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    button = after_stack.form.structured_button.native
    assert not button.isVisibleTo(after_stack.native)
    removed = np.zeros(SHAPE, dtype=np.float32)
    removed[0], removed[1, 4], removed[2] = np.nan, -3.0, 1.0
    finished = after_stack.after_run.offered
    assert finished is not None
    finished.result = replace(finished.result, maps={"structured": removed})
    after_stack.after_run.offer(finished)
    assert button.isVisibleTo(after_stack.native)
    button.click()
    layer = viewer.layers[-1]
    assert layer.name == "noisy stack [structured]"
    assert layer.contrast_limits == [-3, 3]
    assert np.array_equal(layer.data, removed, equal_nan=True)


def test_a_row_of_the_table_shows_its_plane(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    table = after_stack.results.table
    assert table.isVisibleTo(after_stack.native)
    assert table.rowCount() == 3
    for row in (2, 0, 1):
        table.selectRow(row)
        assert viewer.dims.current_step[0] == row
        assert table.item(row, 0).text() == f"Z {row}"


def test_the_report_is_saved_as_json_or_csv(
    tmp_path: Path, after_stack: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [""]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen[0], ""))
    after_stack.results.report_button.click()  # and no name is given
    for name in ("a.json", "a.csv"):
        chosen[0] = str(tmp_path / name)
        after_stack.results.report_button.click()
        assert chosen[0] in after_stack.status_label.value
    (file,) = json.loads((tmp_path / "a.json").read_text())["files"]
    with (tmp_path / "a.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert len(file["planes"]) == len(rows) == 3
    chosen[0] = str(tmp_path / "missing" / "a.json")
    after_stack.results.report_button.click()
    assert "could not be saved" in after_stack.status_label.value


def test_a_result_that_is_removed_is_let_go(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    viewer.layers.remove("noisy stack [denoised]")
    assert "residual" not in after_stack.results.show.choices
    assert not after_stack.results.native.isVisibleTo(after_stack)
    assert not after_stack.results.table.isVisibleTo(after_stack.native)


def test_the_preview_is_what_the_window_shows(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    layer = viewer.layers[0]
    viewer.dims.set_current_step(0, 5)
    shown = take_source(layer, viewer.dims, VISIBLE)
    widget.run_bar.preview_button.click()
    wait_until(lambda: not widget.running)
    preview = viewer.layers["noisy stack [preview]"]
    assert preview.data.shape == layer.data[shown.selection].shape
    assert preview.data.shape[0] == 1
    assert np.allclose(preview.translate[0], 5 * layer.scale[0])
    assert widget.layer.value is layer
    before = preview
    widget.preview()
    wait_until(lambda: not widget.running)
    assert len(viewer.layers) == 2
    assert viewer.layers["noisy stack [preview]"] is not before
    viewer.layers.clear()
    widget.preview()
    assert not widget.running
    assert "Open an image first" in widget.status_label.value


def test_a_preview_of_a_part(viewer: Any) -> None:
    large = np.random.default_rng(0).poisson(50, (900, 1000)).astype(np.uint16)
    layer = viewer.add_image(large, name="large", scale=(0.5, 0.5))
    source = take_source(layer, viewer.dims, VISIBLE)
    assert source.image().shape == (PREVIEW_SIDE, PREVIEW_SIDE)
    viewer.camera.zoom *= 20
    viewer.camera.center = (0, 100.0, 300.0)
    process_events(0.3)
    source = take_source(layer, viewer.dims, VISIBLE)
    rows, columns = source.selection
    assert rows.start < 200 < rows.stop
    assert columns.start < 600 < columns.stop
    assert source.image().shape[1] < PREVIEW_SIDE
    assert np.allclose(
        source.keywords["translate"], (rows.start * 0.5, columns.start * 0.5)
    )


def test_what_was_removed_of_a_lazy_layer_is_read_plane_by_plane(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    dask = pytest.importorskip("dask.array")
    layer = viewer.layers[0]
    values = layer.data[:3, :24, :24]
    read: list[int] = []

    def noted(block: np.ndarray, block_info: Any = None) -> np.ndarray:
        if block_info:
            read.append(block_info[0]["chunk-location"][0])
        return block

    lazy = dask.from_array(values, chunks=(1, 24, 24))
    layer.data = lazy.map_blocks(noted, dtype=values.dtype)
    viewer.dims.set_current_step(0, 1)
    widget.scope.value = STACK
    widget.run()
    wait_until(lambda: not widget.running)
    finished = widget.after_run.offered
    assert finished is not None
    removed, _ = residual_layer(finished)
    process_events(0.5)
    read.clear()
    expected = values - viewer.layers[1].data
    assert np.allclose(removed[2, 3:, :5], expected[2, 3:, :5], atol=1e-3)
    assert set(read) == {2}
    assert np.allclose(removed, expected, atol=1e-3)


@pytest.mark.parametrize("scope", [SLICE, STACK])
def test_what_was_removed_is_that_of_the_strength_that_is_shown(
    viewer: Any, after_stack: InrDenoiseWidget, scope: str
) -> None:
    after_stack.scope.value = scope
    after_stack.run()
    shown = after_stack.wait()
    noisy = viewer.layers[0].data
    at = viewer.dims.current_step[0]
    noisy = noisy[at : at + 1] if scope == SLICE else noisy
    for strength, name in (
        (-0.5, "noisy stack [residual at strength -0.5]"),
        (0.0, "noisy stack [residual]"),
    ):
        after_stack.strength.value = strength
        process_events(0.2)
        after_stack.results.show.value = "residual"
        removed = viewer.layers[name]
        assert np.allclose(removed.data, noisy - np.asarray(shown.data), atol=1e-3)
    half = viewer.layers["noisy stack [residual at strength -0.5]"]
    assert np.std(half.data) == pytest.approx(np.std(removed.data) / 2, rel=1e-3)
