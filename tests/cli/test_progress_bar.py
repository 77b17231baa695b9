"""The bar: one line of 80 letters that tells what is done and how long it takes."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from napari_inr_denoise.batch.jobs import Job
from napari_inr_denoise.batch.progress import JobProgress
from napari_inr_denoise.batch.serial import BatchStep
from napari_inr_denoise.cli import progress_bar
from napari_inr_denoise.cli.progress_bar import ProgressBar, planes_text


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_fits_into_80_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _Terminal()
    monkeypatch.setattr(progress_bar.sys, "stderr", screen)
    monkeypatch.setenv("COLUMNS", "80")
    jobs = [Job(Path("a_very_long_name_of_an_image.ome.tif"), Path("b"))] * 120
    with ProgressBar() as bar:
        for share in (0.1, 0.9):
            progress = JobProgress(share, int(100 * share), 100, "plane 10 of 100")
            bar.follow(BatchStep(10, jobs, progress))
            bar._bar.refresh()
    lines = [line for line in screen.getvalue().split("\r") if line.strip()]
    assert max(map(len, lines)) <= 80
    assert "| 0/120 files, 90/100 planes, ~" in lines[-1]
    assert " left" in lines[-1]


def test_a_single_image_has_its_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = _Terminal()
    monkeypatch.setattr(progress_bar.sys, "stderr", screen)
    with ProgressBar() as bar:
        bar._bar.start_t -= 3.0
        bar.show("demo", JobProgress(0.25, 0, 1, fit="step 24, 9 steps/s"))
        bar._bar.refresh()
    assert "| step 24, ~9 s left" in screen.getvalue()


def test_of_one_plane_the_step_is_told() -> None:
    progress = JobProgress(0.5, 0, 1, fit="step 240, 50 steps/s, residual 1.1 x noise")
    assert planes_text(progress) == "step 240"
    # Also of planes that are trained jointly, until the first one is done.
    assert planes_text(replace(progress, plane_count=4)) == "step 240"
    assert planes_text(replace(progress, plane_count=4, planes=1)) == "1/4 planes"
    assert planes_text(None) == ""
