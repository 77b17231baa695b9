"""The bar: one line of 80 letters that tells what is done and how long it takes."""

from __future__ import annotations

import io
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
    assert "file 0/120, plane 90/100, ~" in lines[-1]
    assert " left" in lines[-1]


def test_of_one_plane_the_step_is_told() -> None:
    progress = JobProgress(0.5, 0, 1, fit="step 240, 50 steps/s, residual 1.1 x noise")
    assert planes_text(progress) == "step 240"
    assert planes_text(None) == ""
