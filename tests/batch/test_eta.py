from __future__ import annotations

from pathlib import Path

import pytest

from napari_inr_denoise.batch.eta import Pace
from napari_inr_denoise.batch.jobs import Job
from napari_inr_denoise.batch.progress import JobProgress
from napari_inr_denoise.batch.report.job_report import JobReport
from napari_inr_denoise.batch.serial import BatchStep
from napari_inr_denoise.core.report.report import FileReport


def _step(
    number: int, progress: JobProgress | None = None, status: str = ""
) -> BatchStep:
    done = JobReport(FileReport("a", status=status)) if status else None
    jobs = [Job(Path("a"), Path("b"))] * 9 + [Job(Path("large"), Path("b"), 2**20)]
    return BatchStep(number, jobs, progress, done=done)


def test_skipped_files_say_nothing_of_the_rate() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    for number in range(4):
        pace.follow(_step(number, status="skipped"))
    assert pace.files() == "4/10 files"
    assert pace.left() == ""
    now[0] = 600.0
    pace.follow(_step(4, status="done"))
    pace.follow(_step(5, JobProgress(0.5, 0, 4)))
    assert pace.share == pytest.approx(5.5 / 11)
    # 1.5 of 11 in ten minutes, 5.5 are left; the large file counts as two.
    assert pace.files() == "5/10 files"
    assert pace.left() == "~37 min left"
    for number in range(5, 9):
        pace.follow(_step(number, status="failed"))
    pace.follow(_step(9, JobProgress(0.5, 0, 1)))
    assert pace.share == pytest.approx(10 / 11)
    assert pace.seconds_left == pytest.approx(300.0)


def test_planes_that_an_earlier_run_finished_say_nothing_of_the_rate() -> None:
    now = [0.0]
    pace = Pace(lambda: now[0])
    only = [Job(Path("a"), Path("b"))]
    pace.follow(BatchStep(0, only, JobProgress(0.4, 40, 100)))
    assert pace.left() == ""
    now[0] = 60.0
    pace.follow(BatchStep(0, only, JobProgress(0.5, 50, 100)))
    assert pace.files() == ""
    assert pace.left() == "~5 min left"
