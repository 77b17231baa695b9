"""The messages of the folder widget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_inr_denoise.core.report.duration import short_duration

if TYPE_CHECKING:  # the modules behind it load torch
    from napari_inr_denoise.batch.eta import Pace
    from napari_inr_denoise.batch.serial import BatchStep
    from napari_inr_denoise.core.report.report import DenoiseReport, FileReport

_STATUSES = ("done", "failed", "skipped")
_LEAST_SHARE = 0.01
"""Finished fraction of a run before the time left is estimated."""


def folders_problem(source: Path | None, out: Path | None) -> str:
    """Return why no run can start with these folders; empty if one can.

    Parameters
    ----------
    source, out : Path or None
        The folders of the images and of the results; None if none is chosen.
    """
    named = (("a folder of images", source), ("a folder for the results", out))
    missing = " and ".join(name for name, folder in named if folder is None)
    if source is None or out is None:
        return f"Choose {missing} first."
    if not source.exists():
        return f"The folder {source} does not exist. Choose another folder of images."
    for folder in (source, out):
        if folder.exists() and not folder.is_dir():
            return f"{folder} is a file. Choose a folder instead."
    return ""


def file_message(batch: BatchStep) -> str:
    """Return the position and name of the current file."""
    return f"{batch.number + 1} of {batch.count}: {batch.job.source.name}"


def plane_message(batch: BatchStep) -> str:
    """Return the current plane and how many planes of the file are finished."""
    at = batch.progress
    if at is None:
        return ""
    planes = "planes" if at.plane_count > 1 else "plane"
    finished = f"{at.planes} of {at.plane_count} {planes} finished"
    return f"{at.place}; {finished}" if at.place else finished


def time_message(pace: Pace) -> str:
    """Return the estimated time until the end of the run; empty if unknown."""
    left = pace.seconds_left
    if left is None or pace.share < _LEAST_SHARE:
        return ""
    return f"~{short_duration(left)} left"


def failure_message(file: FileReport) -> str:
    """Return the name of a failed file and the cause."""
    cause = str(file.error).removeprefix(f"{file.source}: ")
    return f"{Path(str(file.source)).name}: {cause}"


def summary_message(report: DenoiseReport | None, count: int, where: str) -> str:
    """Return how many files were done, failed or skipped, and where the report is.

    Parameters
    ----------
    report : DenoiseReport or None
        Of the files that the run reached; None if it reached none.
    count : int
        Number of all files.
    where : str
        A sentence that names the place of the report.
    """
    files = () if report is None else report.files
    statuses = [file.status for file in files]
    counts = ", ".join(f"{statuses.count(one)} {one}" for one in _STATUSES)
    words = f"{counts}."
    if any(file.status == "skipped" and file.planes for file in files):
        words = f"{counts} (done before)."
    if len(files) < count:
        words = (
            f"Stopped: {words} {count - len(files)} not finished. The next run "
            "continues there, also inside the file in progress."
        )
    return f"{words} {where}".strip() if files else words
