"""What can be done with a result, and the preview of what is visible."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.qt.threading import WorkerBase
from qtpy.QtWidgets import QFileDialog

from napari_inr_denoise.plugin.layers.metadata_keys import FILE_KEY
from napari_inr_denoise.plugin.layers.source.layer_source import (
    PREVIEW_SIDE,
    take_source,
)
from napari_inr_denoise.plugin.layers.source.scope import SLICE, STACK, VISIBLE
from napari_inr_denoise.plugin.results.views import residual_layer
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from napari_inr_denoise.plugin.widgets.save_control import KINDS
from tests.conftest import at_work, process_events, wait_until
from tests.plugin.conftest import PLUGIN

pytestmark = pytest.mark.window
SHAPE = (3, 32, 32)


@pytest.fixture
def after_stack(viewer: Any, widget: InrDenoiseWidget) -> InrDenoiseWidget:
    """The widget after a run over a short stack."""
    source = viewer.layers[0]
    source.data = source.data[tuple(map(slice, SHAPE))]
    widget.scope.value = STACK
    widget.run()
    assert not widget.results.native.isVisibleTo(widget)
    wait_until(lambda: not widget.running)
    return widget


def _shown(viewer: Any, widget: InrDenoiseWidget, view: str) -> Any:
    """Show a view, and return its layer."""
    widget.results.show.value = view
    layer = widget.after_run.show.layer
    assert layer in viewer.layers
    return layer


def test_a_result_that_is_removed_is_let_go(
    viewer: Any, after_stack: InrDenoiseWidget
) -> None:
    viewer.layers.remove("noisy stack [denoised]")
    assert not after_stack.results.native.isVisibleTo(after_stack)
    assert after_stack.results.table.rowCount() == 0


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_result_is_saved_and_opened_again(
    viewer: Any,
    after_stack: InrDenoiseWidget,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    dtype: str,
) -> None:
    kind = next(k for k, (e, d) in KINDS.items() if e == ".ome.tif" and d == dtype)
    chosen = (str(tmp_path / "saved"), kind)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: chosen)
    after_stack.results.save_button.click()
    wait_until(lambda: after_stack.status_label.value.startswith("Saved "))
    chips = after_stack.results.chips.texts
    viewer.layers.clear()
    (layer,) = viewer.open(tmp_path / "saved.ome.tif", plugin=PLUGIN)
    assert layer.data.dtype == dtype
    assert after_stack.results.native.isVisibleTo(after_stack)
    assert after_stack.results.chips.texts == chips
    assert after_stack.results.table.rowCount() == 3


def test_a_result_is_never_saved_over_its_noisy_file(
    viewer: Any,
    after_stack: InrDenoiseWidget,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = tmp_path / "cells.ome.tif"
    raw.write_bytes(b"raw")
    viewer.layers[0].metadata[FILE_KEY] = str(raw)
    chosen = (str(tmp_path / "cells"), next(iter(KINDS)))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: chosen)
    after_stack.results.save_button.click()
    assert "Choose another name." in after_stack.status_label.value
    assert after_stack.results.save_button.isEnabled()
    assert raw.read_bytes() == b"raw"


def test_any_name_of_a_layer_gives_that_of_a_file(
    viewer: Any, after_stack: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed: list[str] = []

    def cancelled(_: object, __: str, name: str, ___: str) -> tuple[str, str]:
        proposed.append(name)
        return "", ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", cancelled)
    viewer.layers[1].name = "GFP/488: 2 [denoised]"
    after_stack.results.save_button.click()
    after_stack.results.report_button.click()
    assert proposed == ["GFP488 2 [denoised].ome.tif", "GFP488 2 [denoised].html"]


def test_the_data_type_that_loses_little_is_preselected(
    after_stack: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    first: list[str] = []

    def cancelled(_: object, __: str, ___: str, filters: str) -> tuple[str, str]:
        first.append(KINDS[filters.split(";;", maxsplit=1)[0]][1])
        return "", ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", cancelled)
    finished = after_stack.after_run.offered
    assert finished is not None
    noisy = finished.source.data
    ranges = ((0, 1), (100, 300), (0, 255), (-9, 999), (0, 7e4), (0, np.nan))
    for ends in (*ranges, (0, 999)):
        image = np.resize(np.array(ends, np.float32), SHAPE)
        finished.result = replace(finished.result, image=image)
        after_stack.results.save_button.click()
    floats, integers = "float32", "uint16"
    assert first == [*([floats] * 2), integers, *([floats] * 3), integers]
    finished.source = replace(finished.source, data=noisy.astype(np.float32))
    after_stack.results.save_button.click()
    assert first[-1] == floats


def test_what_integers_lose_is_told_and_open_stays_with_its_result(
    viewer: Any,
    after_stack: InrDenoiseWidget,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kind = next(k for k, (e, d) in KINDS.items() if (e, d) == (".ome.tif", "uint16"))
    chosen = (str(tmp_path / "saved"), kind)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: chosen)
    finished = after_stack.after_run.offered
    assert finished is not None
    finished.layer.data = np.linspace(0, 1, 3 * 32 * 32, dtype=np.float32).reshape(
        SHAPE
    )
    after_stack.results.save_button.click()
    viewer.layers.selection.active = viewer.add_image(np.zeros((8, 8)), name="other")
    results = after_stack.results
    wait_until(lambda: after_stack.status_label.value.startswith("Saved "))
    assert "rounded to integers from 0 to 1" in after_stack.status_label.value
    assert not results.open_button.isVisibleTo(results.native)


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
    assert widget.results.chips.texts[0].endswith("Preview")
    viewer.layers.selection.active = layer
    assert not widget.results.native.isVisibleTo(widget)  # not that of the whole
    before = preview
    widget.preview()
    wait_until(lambda: not widget.running)
    assert len(viewer.layers) == 2
    assert viewer.layers["noisy stack [preview]"] is not before
    viewer.layers.clear()
    widget.preview()
    assert not widget.running
    assert "noisy image" in widget.status_label.value


@pytest.mark.drawn
def test_a_preview_of_a_part(viewer: Any) -> None:
    large = np.random.default_rng(0).poisson(50, (900, 1000)).astype(np.uint16)
    layer = viewer.add_image(large, name="large", scale=(0.5, 0.5))
    source = take_source(layer, viewer.dims, VISIBLE)
    assert source.image().shape == (PREVIEW_SIDE, PREVIEW_SIDE)
    camera = viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera
    camera.zoom *= 20
    camera.center = (0, 100.0, 300.0)
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
    wait_until(lambda: not WorkerBase._worker_set)  # the estimate after a run reads too
    read.clear()
    expected = values - viewer.layers[1].data
    assert np.allclose(removed[2, 3:, :5], expected[2, 3:, :5], atol=1e-3)
    assert set(read) == {2}
    assert np.allclose(removed, expected, atol=1e-3)


@pytest.mark.parametrize("scope", [SLICE, STACK])
def test_the_raw_residual_is_that_of_the_strength_that_is_shown(
    viewer: Any, after_stack: InrDenoiseWidget, scope: str
) -> None:
    after_stack.scope.value = scope
    after_stack.run()
    shown = after_stack.wait()
    noisy = viewer.layers[0].data
    at = viewer.dims.current_step[0]
    noisy = noisy[at : at + 1] if scope == SLICE else noisy
    after_stack.results.raw.setChecked(True)
    spread = []
    for strength, name in (
        (-0.5, "noisy stack [residual at strength -0.5]"),
        (0.0, "noisy stack [residual]"),
    ):
        after_stack.strength.value = strength
        process_events(0.2)
        removed = _shown(viewer, after_stack, "residual")
        assert removed.name == name
        assert np.allclose(removed.data, noisy - np.asarray(shown.data), atol=1e-3)
        spread.append(np.std(np.asarray(removed.data)))
        after_stack.results.show.value = "result"
    assert spread[0] == pytest.approx(spread[1] / 2, rel=1e-3)


def test_all_planes_after_a_preview(viewer: Any, widget: InrDenoiseWidget) -> None:
    viewer.layers[0].data = viewer.layers[0].data[:3, :32, :32]
    widget.preview()
    wait_until(lambda: not widget.running)
    assert widget.results.whole_button.isVisibleTo(widget)
    widget.results.whole_button.click()
    wait_until(lambda: not widget.running)
    assert viewer.layers["noisy stack [denoised]"].data.shape == SHAPE
    assert not widget.results.whole_button.isVisibleTo(widget)


@pytest.mark.usefixtures("endless")
def test_a_result_of_a_stopped_run_is_marked(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    widget.run()
    wait_until(lambda: at_work(widget))
    bar, phases = widget.run_bar, []
    widget.runs.finishing.connect(lambda: phases.append(bar.phase_label.value))
    widget.stop()
    assert bar.stop_button.text() == "Stopping..."
    bar.show_time(0.5, "~1 min left")  # as the timer does
    assert bar.left_label.value == ""
    wait_until(lambda: not widget.running)
    assert phases == ["Finishing..."]
    assert viewer.layers[-1].name == "noisy stack [denoised, partial]"
    assert "Stopped early" in widget.results.chips.texts[0]
