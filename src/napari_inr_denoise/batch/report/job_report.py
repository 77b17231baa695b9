"""Report of a job."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from napari_inr_denoise.batch.jobs import Job
from napari_inr_denoise.batch.report.thumbnails import Thumbnails
from napari_inr_denoise.core.report.report import FileReport


@dataclass(frozen=True)
class JobReport:
    """Outcome of a job, as plain data that workers can send.

    Attributes
    ----------
    file : FileReport
        Entry of report.json.
    notes : tuple of str
        Notes for the user.
    thumbnails : Thumbnails or None
        Pictures before and after, if there is a result.
    """

    file: FileReport
    notes: tuple[str, ...] = ()
    thumbnails: Thumbnails | None = None


def failed(job: Job, cause: str, started: float) -> JobReport:
    """Return the report of a file that failed.

    Parameters
    ----------
    job : Job
        Job of the file.
    cause : str
        Cause, as a sentence.
    started : float
        Start time by `time.monotonic`.
    """
    seconds = round(time.monotonic() - started, 3)
    return JobReport(
        FileReport(str(job.source), status="failed", error=cause, seconds=seconds)
    )


def part_of_another(job: Job, other: Path) -> JobReport:
    """Return the report of a file that is a part of the image of another file."""
    note = f"It holds a part of the image of {other}, and is denoised there."
    file = FileReport(str(job.source), status="skipped", notes=(note,))
    return JobReport(file, file.notes)
