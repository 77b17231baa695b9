"""Results that were opened from files: quality, table and report without the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Image
from npe2 import PluginManager
from qtpy.QtWidgets import QFileDialog

from napari_inr_denoise import DenoiseSettings, denoise, write_image
from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.serial import run_jobs
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.plugin.layers.axis_labels import axes_origin
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY, file_of
from napari_inr_denoise.plugin.layers.source.scope import STACK
from napari_inr_denoise.plugin.open_files import add_files
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import wait_until

pytestmark = pytest.mark.window
PLUGIN = "napari-inr-denoise"


@pytest.fixture
def saved(tmp_path: Path, tiny: DenoiseSettings) -> tuple[Path, Any]:
    """A file with the result of a stack, and its report."""
    noisy = np.random.default_rng(0).poisson(40, (3, 24, 24)).astype(np.float32)
    result = denoise(noisy, axes="ZYX", settings=tiny)
    layer = Image(result.image, scale=(0.5, 0.1, 0.1), units=("um",) * 3)
    layer.metadata[REPORT_KEY] = result.report.to_dict()
    path = tmp_path / "a.inr.ome.tif"
    PluginManager.instance().discover()
    layer.save(str(path), plugin=PLUGIN)
    return path, result.report


def test_quality_and_planes_of_a_saved_result(
    viewer: Any,
    saved: tuple[Path, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, report = saved
    (layer,) = viewer.open(path, plugin=PLUGIN)
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    # Also if the file was opened before the widget.
    assert widget.results.table.rowCount() == 3
    other = viewer.add_image(np.zeros((8, 8)), name="other")
    assert widget.results.table.rowCount() == 0
    viewer.layers.selection.active = layer
    assert widget.results.table.rowCount() == 3
    assert widget.results.title.value == layer.name
    widget.results.table.selectRow(2)
    np.testing.assert_allclose(viewer.dims.point[0], 1.0)
    # Only what needs no noisy image is offered.
    assert widget.results.show.choices == ("result",)
    assert not widget.strength.isVisibleTo(widget)
    assert widget.results.note.value.startswith("Open the noisy image")
    written = tmp_path / "again.json"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(written), ""))
    widget.results.report_button.click()
    assert json.loads(written.read_text()) == json.loads(json.dumps(report.to_dict()))
    assert widget.layer.value is other  # the result is not what to denoise
    viewer.layers.remove(layer)
    assert widget.results.table.rowCount() == 0


def test_a_result_alone_is_nothing_to_denoise(
    viewer: Any, saved: tuple[Path, Any]
) -> None:
    path, _ = saved
    (layer,) = viewer.open(path, plugin=PLUGIN)
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    assert layer not in widget.layer.choices
    assert not widget.run_bar.start_button.isEnabled()
    assert widget.inputs.noise_label.value == "-"
    rng = np.random.default_rng(1)
    viewer.add_image(rng.poisson(40, (24, 24)).astype(np.float32), name="noisy")
    wait_until(lambda: widget.inputs.noise_label.value.startswith("sigma"))
    assert widget.run_bar.start_button.isEnabled()


def test_a_report_that_is_none_is_passed_over(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    for report in ({}, {"version": "1", "files": [3]}, 3, None):
        layer = viewer.add_image(np.zeros((8, 8)), metadata={REPORT_KEY: report})
        viewer.layers.selection.active = layer
        assert widget.results.table.rowCount() == 0
        assert not widget.results.native.isVisibleTo(widget)
        viewer.layers.remove(layer)


def test_a_result_that_was_saved_at_another_strength(
    viewer: Any,
    widget: InrDenoiseWidget,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noisy = viewer.layers[0]
    noisy.data = noisy.data[:3, :32, :30]
    widget.scope.value = STACK
    widget.run()
    layer = widget.wait()
    assert layer is not None
    facts = widget.results.chips.texts
    assert not any("strength" in fact for fact in facts)
    widget.strength.value = -0.37
    wait_until(lambda: "strength -0.37" in widget.results.chips.texts)
    assert not any(
        fact.startswith(("error", "mean", "\u2713"))
        for fact in widget.results.chips.texts
    )
    assert widget.results.planes.title.endswith("at strength 0")
    path = tmp_path / "a.ome.tif"
    answer = str(path), "OME-TIFF, 32-bit float (*.ome.tif)"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: answer)
    pixels = np.asarray(layer.data)
    widget.results.save_button.click()
    wait_until(lambda: widget.status_label.value.startswith("Saved"))
    widget.strength.value = 0
    wait_until(lambda: widget.results.chips.texts == facts)
    viewer.layers.remove(layer)
    # Slider, facts, residual and report tell of the pixels, with the noisy image open.
    (again,) = viewer.open(path, plugin=PLUGIN)
    viewer.layers.selection.active = again
    assert np.allclose(again.data, pixels)
    assert widget.strength.value == -0.37
    assert not widget.strength.isEnabled()
    assert "strength -0.37" in widget.results.chips.texts
    assert widget.results.note.value.startswith("Saved at this strength")
    assert widget.results.planes.title.endswith("at strength 0")
    widget.results.show.value = "residual"
    residual = widget.after_run.show.layer
    assert residual is not None
    assert residual.name == "noisy stack [residual at strength -0.37]"
    assert np.allclose(residual.data, noisy.data - pixels, atol=1e-3)
    found = widget.after_run.offered
    assert found is not None
    assert found.report.settings.strength == -0.37
    widget.results.show.value = "result"
    # The next result can be changed again.
    viewer.layers.selection.active = noisy
    widget.run()
    wait_until(lambda: not widget.running)
    assert widget.strength.isEnabled()
    assert widget.strength.value == 0


def test_the_noisy_image_does_not_hide_its_result(
    viewer: Any, saved: tuple[Path, Any], tmp_path: Path
) -> None:
    path, _ = saved
    noisy = np.random.default_rng(0).poisson(40, (3, 24, 24)).astype(np.float32)
    write_image(tmp_path / "a.ome.tif", ImageRecord(noisy, "ZYX"))
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    (layer,) = viewer.open(path, plugin=PLUGIN)
    layer.name = "a [denoised]"
    (above,) = viewer.open(tmp_path / "a.ome.tif", plugin=PLUGIN)
    viewer.layers.selection.active = layer
    wait_until(lambda: list(viewer.layers) == [above, layer])
    # Whatever else hides it, or the user has hidden.
    other = viewer.add_image(noisy, name="other")
    viewer.layers.selection.active = layer
    for hidden in (False, True):
        layer.visible = not hidden
        viewer.layers.move(0, 3)
        for view, shown in (("result", layer), ("noisy", above), ("result", layer)):
            widget.results.show.button(view).click()
            assert [one for one in viewer.layers if one.visible][-1] == shown
    assert other.visible


def test_files_that_the_command_of_the_menu_opens(
    viewer: Any, tmp_path: Path, tiny: DenoiseSettings
) -> None:
    rng = np.random.default_rng(0)
    noisy = rng.poisson([[[20]], [[40]], [[60]]], (3, 24, 24)).astype(np.uint16)
    path, out = tmp_path / "a.ome.tif", tmp_path / "out"
    write_image(path, ImageRecord(noisy, "CYX"))
    (job,) = plan_jobs([str(path)], out)
    assert [step.done for step in run_jobs([job], RunOptions(tiny))][-1]
    add_files(viewer, [str(path), str(job.output)])
    assert [axes_origin(layer) for layer in viewer.layers] == ["from file"] * 6
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    for channel in range(3):
        viewer.layers.selection.active = viewer.layers[3 + channel]
        assert widget.results.native.isVisibleTo(widget)
        found = widget.after_run.offered
        assert found is not None
        assert found.source.is_of(viewer.layers[channel])
    wait_until(lambda: not any(layer.visible for layer in viewer.layers[:3]))
    # The noisy image may be closed, and opened again.
    viewer.layers.selection.active = viewer.layers[4]
    viewer.layers.remove(viewer.layers[1])
    assert widget.results.show.choices == ("result",)
    add_files(viewer, [str(path)])
    viewer.layers.selection.active = viewer.layers[3]
    assert "split" in widget.results.show.choices
    assert not widget.results.note.value.startswith("Open")
    # What a run makes of them was read from no file.
    widget.preset.value = "fast"
    viewer.layers.selection.active = viewer.layers[0]
    widget.inputs.channels.setChecked(False)
    widget.run()
    made = widget.wait()
    assert made is not None
    assert file_of(made) is None
    assert made.metadata[REPORT_KEY]["files"][0]["source"] == str(path)
