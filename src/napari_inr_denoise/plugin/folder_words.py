"""What the folder widget says, in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_inr_denoise.core.duration import duration_words

if TYPE_CHECKING:  # the modules behind it load torch
    from napari_inr_denoise.batch.run import BatchStep
    from napari_inr_denoise.core.report import DenoiseReport, FileReport

_STATUSES = ("done", "failed", "skipped")
_LEAST_SHARE = 0.01
"""Done of a run before its end can be foretold."""


def share_done(batch: BatchStep) -> float:
    """Return how much of a run is done, 0 to 1; files count alike."""
    # Without a step the file is finished, or was never begun.
    share = 1.0 if batch.step is None else batch.step.progress
    return (batch.number + share) / batch.count


def file_words(batch: BatchStep) -> str:
    """Return the file at work."""
    return f"{batch.number + 1} of {batch.count}: {batch.job.source.name}"


def plane_words(batch: BatchStep) -> str:
    """Return the plane at work, and what of the file is finished."""
    step = batch.step
    if step is None:
        return "-"
    finished = f"{len(step.finished)} of {step.plane_count} finished"
    return f"{step.place}; {finished}" if step.place else finished


def time_words(elapsed: float, share: float) -> str:
    """Return the time that a run is likely to go on for.

    Parameters
    ----------
    elapsed : float
        Seconds since its start.
    share : float
        Of it that is done.
    """
    if share < _LEAST_SHARE:
        return "not known yet"
    return f"about {duration_words(elapsed * (1 - share) / share)}"


def failure_words(file: FileReport) -> str:
    """Return why a file failed."""
    cause = str(file.error).removeprefix(f"{file.source}: ")
    return f"{Path(str(file.source)).name}: {cause}"


def summary_words(report: DenoiseReport | None, count: int, where: str) -> str:
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
    counts = ", ".join(
        f"{statuses.count(s)} {s}" for s in ("done", "failed", "skipped")
    )
    skipped = " (done before)" if "skipped" in statuses else ""
    words = f"{counts}{skipped}."
    if len(files) < count:
        words = (
            f"Stopped: {words} {count - len(files)} not finished; Run goes on from "
            "there, also in the file that was at work."
        )
    return f"{words} {where}" if files else words
