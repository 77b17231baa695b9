"""Report of a job."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from napari_inr_denoise.batch.jobs import Job
from napari_inr_denoise.batch.report.thumbnails import Thumbnails
from napari_inr_denoise.core.report.report import FileReport
from napari_inr_denoise.io.entries import ImageEntry


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
    name = None if job.image is None else job.image.name
    source = str(job.source)
    return JobReport(
        FileReport(source, status="failed", error=cause, seconds=seconds, series=name)
    )


def absent(job: Job, image: ImageEntry, *, accepted: bool) -> JobReport:
    """Return the report of an image of which no file is there.

    Parameters
    ----------
    job : Job
        Job of the image.
    image : ImageEntry
        The image.
    accepted : bool
        Whether the user accepts incomplete images: it is then skipped.
    """
    lost = f"The image {image.name} is named, but missing: {', '.join(image.missing)}."
    if not accepted:
        lost += " Copy it there, or leave it out with --incomplete."
        return failed(job, lost, time.monotonic())
    source = str(job.source)
    file = FileReport(source, status="skipped", notes=(lost,), series=image.name)
    return JobReport(file, file.notes)


def part_of_another(job: Job, other: Path) -> JobReport:
    """Return the report of a file that is a part of the image of another file."""
    note = f"It holds a part of the image of {other}, and is denoised there."
    file = FileReport(str(job.source), status="skipped", notes=(note,))
    return JobReport(file, file.notes)
