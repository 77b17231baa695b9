"""What became of a file, wherever it was done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from napari_inr_denoise.batch.jobs import Job
from napari_inr_denoise.batch.report.thumbnails import Thumbnails
from napari_inr_denoise.core.report.report import FileReport


@dataclass(frozen=True)
class JobReport:
    """What became of a file: plain data, fit to be sent from another machine.

    Attributes
    ----------
    file : FileReport
        For the report.
    notes : tuple of str
        What the user should know, in sentences.
    thumbnails : Thumbnails or None
        A part of it before and after, if there is a result to show.
    """

    file: FileReport
    notes: tuple[str, ...] = ()
    thumbnails: Thumbnails | None = None


def failed(job: Job, cause: str, started: float) -> JobReport:
    """Return the report of a file that could not be done.

    Parameters
    ----------
    job : Job
        The file.
    cause : str
        In a sentence.
    started : float
        When it was begun, by `time.monotonic`.
    """
    seconds = round(time.monotonic() - started, 3)
    return JobReport(
        FileReport(str(job.source), status="failed", error=cause, seconds=seconds)
    )


def part_of_another(job: Job, other: Path) -> JobReport:
    """Return the report of a file that holds a part of the image of another one."""
    note = f"It holds a part of the image of {other}, and is denoised there."
    file = FileReport(str(job.source), status="skipped", notes=(note,))
    return JobReport(file, file.notes)
