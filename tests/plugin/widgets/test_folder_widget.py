"""Denoise a folder from the window: the same batch as on the command line."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.qt.threading import WorkerBase

from napari_inr_denoise import read_image
from napari_inr_denoise.batch.eta import Pace
from napari_inr_denoise.batch.jobs import Job
from napari_inr_denoise.batch.progress import JobProgress
from napari_inr_denoise.batch.serial import BatchStep
from napari_inr_denoise.core.report.report import DenoiseReport, FileReport
from napari_inr_denoise.core.settings import PRESETS
from napari_inr_denoise.plugin.controls import folder_messages
from napari_inr_denoise.plugin.controls.file_dialogs import save_settings
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from napari_inr_denoise.plugin.widgets.folder_widget import FolderWidget
from tests.conftest import wait_until
from tests.forked import workers_forked
from tests.plugin.conftest import PLUGIN

SHAPE = (2, 32, 32)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two good stacks, one of them in a folder below, and one file that is none."""
    folder = tmp_path / "images"
    (folder / "below").mkdir(parents=True)
    noisy = np.random.default_rng(0).poisson(50, SHAPE).astype(np.uint16)
    for name in ("a.tif", "below/b.tif"):
        tifffile.imwrite(folder / name, noisy, imagej=True, metadata={"axes": "ZYX"})
    (folder / "broken.tif").write_bytes(b"II*\0nothing of the kind")
    return folder


@pytest.fixture
def widget(viewer: Any, images: Path) -> Iterator[FolderWidget]:
    """The tab of the panel, with both folders chosen."""
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    made = panel.folder
    panel.tabs.setCurrentIndex(1)
    wait_until(lambda: len(made.device.choices) > 1)
    made.source.value, made.out.value = images, images.parent / "results"
    yield made
    made.stop()
    wait_until(lambda: not WorkerBase._worker_set)


@pytest.mark.window
def test_folders_are_taken_as_they_are_typed_or_pasted(
    widget: FolderWidget, images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for home in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(home, str(images.parent))
    monkeypatch.setattr(widget, "_start", lambda _: None)
    widget.source.line_edit.value = "~/images"
    widget.out.line_edit.value = f' "{images.parent / "results"}" '
    widget.run()
    assert widget._run.source == images
    assert widget._run.out == images.parent / "results"


@pytest.mark.window
def test_all_files_are_accounted_for(widget: FolderWidget, images: Path) -> None:
    assert not widget.status_label.value  # the folders are chosen
    widget.run_button.click()
    assert widget.running
    assert not widget.source.native.isEnabled()
    wait_until(lambda: not widget.running)
    out = images.parent / "results"
    said = widget.status_label.value
    assert said == "2 done, 1 failed, 0 skipped."
    assert widget.failures.toPlainText().startswith("broken.tif: ")
    assert widget.failures.isVisibleTo(widget.native)
    assert widget.report_button.isVisibleTo(widget.native)
    assert widget.progress.value() == widget.progress.maximum()
    assert read_image(out / "below" / "b.inr.ome.tif").data.shape == SHAPE
    files = json.loads((out / "report.json").read_text())["files"]
    assert sorted(file["status"] for file in files) == ["done", "done", "failed"]
    assert (out / "report.csv").exists()
    widget.run()
    wait_until(lambda: not widget.running)
    assert "0 done, 1 failed, 2 skipped (done before)." in widget.status_label.value
    assert widget.failures.isVisibleTo(widget.native)
    widget.source.value = images / "gone"
    widget.run()
    assert f"{images / 'gone'} does not exist" in widget.status_label.value
    assert not widget.failures.isVisibleTo(widget.native)  # of the run before
    assert not widget.report_button.isVisibleTo(widget.native)


@pytest.mark.window
def test_the_choices_are_those_of_the_command(
    widget: FolderWidget, images: Path, tmp_path: Path, tiny: Any
) -> None:
    pytest.importorskip("distributed")
    saved = tmp_path / "mine.json"
    save_settings(replace(tiny, mode="volume", seed=3), saved)
    widget.load(saved)
    assert (widget.preset.value, widget.mode.value) == ("mine.json", "volume")
    widget.mode.value = "plane"
    widget.workers.value, widget.dtype.value = 2, True
    with workers_forked():
        widget.run()
        # Two processes start, on a busy machine for more than a minute.
        wait_until(lambda: not widget.running, seconds=240)
    assert widget.status_label.value.startswith("2 done, 1 failed, 0 skipped.")
    out = images.parent / "results"
    result = out / "a.inr.ome.tif"
    assert read_image(result).data.dtype == np.uint16
    settings = json.loads((out / "report.json").read_text())["settings"]
    assert (settings["seed"], settings["mode"]) == (3, "plane")
    written = result.stat().st_mtime_ns
    widget.overwrite.value = True
    widget.workers.value = 1
    widget.run()
    wait_until(lambda: not widget.running)
    assert widget.status_label.value.startswith("2 done, 1 failed, 0 skipped.")
    assert result.stat().st_mtime_ns > written


@pytest.mark.window
@pytest.mark.usefixtures("endless")
def test_stop_keeps_what_is_finished(
    widget: FolderWidget, images: Path, monkeypatch: pytest.MonkeyPatch, tiny: Any
) -> None:
    endless = PRESETS["auto"]
    monkeypatch.setitem(PRESETS, "auto", tiny)
    (images / "broken.tif").unlink()
    (images / "below" / "b.tif").rename(images / "second.tif")
    widget.preset.value = "auto"
    widget.run()
    wait_until(lambda: not widget.running)
    monkeypatch.setitem(PRESETS, "auto", endless)
    first = images.parent / "results" / "a.inr.ome.tif"
    written = first.stat().st_mtime_ns
    widget.run()  # with other settings, which never end
    wait_until(lambda: "plane 1 of 2" in widget.plane_label.value)
    asked = time.monotonic()
    widget.stop_button.click()
    wait_until(lambda: not widget.running)
    assert time.monotonic() - asked < 1
    assert first.stat().st_mtime_ns == written
    assert widget.run_button.isVisibleTo(widget.native)
    assert "Stopped" in widget.status_label.value
    assert "2 not finished" in widget.status_label.value


@pytest.mark.window
@pytest.mark.usefixtures("endless")
def test_it_ends_with_the_dock(viewer: Any, widget: FolderWidget) -> None:
    widget.run()
    wait_until(lambda: "plane 1 of 2" in widget.plane_label.value)
    panel = InrDenoiseWidget.docked_in(viewer)
    viewer.window.remove_dock_widget(panel)
    wait_until(lambda: not WorkerBase._worker_set, seconds=20)


@pytest.mark.window
def test_what_is_missing_is_said(widget: FolderWidget, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    widget.source.value = empty
    widget.run()
    wait_until(lambda: not widget.running)
    assert "the folder holds no file ending in" in widget.status_label.value
    widget.source.value = None
    widget.run()
    assert not widget.running
    assert widget.status_label.value.startswith("Choose a folder of images")


@pytest.mark.window
def test_a_report_that_cannot_be_written_is_said(
    widget: FolderWidget, images: Path
) -> None:
    (images.parent / "results" / "report.json").mkdir(parents=True)
    widget.run()
    wait_until(lambda: not widget.running)
    assert "2 done, 1 failed" in widget.status_label.value
    assert "The report could not be written: " in widget.status_label.value


def test_words_of_a_run() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    step = BatchStep(0, [Job(Path("a"), Path("b"))], JobProgress(0.001, 0, 1))
    pace.follow(step)
    now[0] = 10.0
    assert folder_messages.time_message(pace) == ""
    pace.follow(replace(step, progress=JobProgress(0.25, 0, 1)))
    assert folder_messages.time_message(pace) == "~30 s left"
    failed = FileReport("/in/a.tif", status="failed", error="/in/a.tif: no image")
    assert folder_messages.failure_message(failed) == "a.tif: no image"
    report = DenoiseReport("1", PRESETS["auto"], (failed,))
    stopped = folder_messages.summary_message(report, 3, "There.")
    assert stopped.startswith("Stopped: 0 done, 1 failed, 0 skipped. 2 not finished")
    assert stopped.endswith("There.")
    assert folder_messages.summary_message(None, 2, "There.").endswith(
        "file in progress."
    )


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    problem = folder_messages.folders_problem
    out, gone, file = tmp_path / "out", tmp_path / "gone", tmp_path / "file"
    file.touch()
    both = "Choose a folder of images and a folder for the results first."
    assert problem(None, None) == both
    assert problem(None, out) == "Choose a folder of images first."
    assert problem(tmp_path, None) == "Choose a folder for the results first."
    assert f"{gone} does not exist" in problem(gone, out)
    for folders in ((file, out), (tmp_path, file)):
        assert problem(*folders).startswith(f"{file} is a file.")
    assert not problem(tmp_path, out)
