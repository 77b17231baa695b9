"""What the folder widget says, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_inr_denoise.core.report.duration import duration_words

if TYPE_CHECKING:  # the modules behind it load torch
    from napari_inr_denoise.batch.eta import Pace
    from napari_inr_denoise.batch.serial import BatchStep
    from napari_inr_denoise.core.report.report import DenoiseReport, FileReport

_STATUSES = ("done", "failed", "skipped")
_LEAST_SHARE = 0.01
"""Done of a run before its end can be foretold."""


def file_message(batch: BatchStep) -> str:
    """Return the file at work."""
    return f"{batch.number + 1} of {batch.count}: {batch.job.source.name}"


def plane_message(batch: BatchStep) -> str:
    """Return the plane at work, and what of the file is finished."""
    at = batch.progress
    if at is None:
        return "-"
    finished = f"{at.planes} of {at.plane_count} finished"
    return f"{at.place}; {finished}" if at.place else finished


def time_message(pace: Pace) -> str:
    """Return the time that a run is likely to go on for."""
    left = pace.seconds_left
    if left is None or pace.share < _LEAST_SHARE:
        return "not known yet"
    return f"about {duration_words(left)}"


def failure_message(file: FileReport) -> str:
    """Return why a file failed."""
    cause = str(file.error).removeprefix(f"{file.source}: ")
    return f"{Path(str(file.source)).name}: {cause}"


def summary_message(report: DenoiseReport | None, count: int, where: str) -> str:
    """Return what became of the files, and where that can be read.

    Parameters
    ----------
    report : DenoiseReport or None
        Of those that the run got to; None if it got to none.
    count : int
        All there are.
    where : str
        Where the report is, as a sentence.
    """
    files = () if report is None else report.files
    statuses = [file.status for file in files]
    counts = ", ".join(f"{statuses.count(one)} {one}" for one in _STATUSES)
    words = f"{counts}."
    if any(file.status == "skipped" and file.planes for file in files):
        words = f"{counts} (done before)."
    if len(files) < count:
        words = (
            f"Stopped: {words} {count - len(files)} not finished; Run goes on from "
            "there, also in the file that was at work."
        )
    return f"{words} {where}" if files else words
