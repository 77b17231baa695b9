"""Remaining time of a run over files."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_inr_denoise.core.report.duration import short_duration

if TYPE_CHECKING:  # these modules import torch
    from napari_inr_denoise.batch.jobs import Job
    from napari_inr_denoise.batch.serial import BatchStep

_FIRST_BYTES = 2**20
"""Fixed cost of a file, in bytes: the start of its first fit."""


class Pace:
    """Estimates the remaining time from the bytes that are done.

    Files are weighted by size, because a large stack takes longer than a plane. Files
    that are skipped or fail, and planes of an earlier run, do not count for the rate.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._started = clock, clock()
        self._count, self._total_bytes = 1, 1.0
        self._finished: set[int] = set()
        self._done_bytes, self._untimed = 0.0, dict[int, float]()
        self._shares: dict[int, tuple[float, float]] = {}
        self._begun: set[int] = set()

    @property
    def share(self) -> float:
        """Fraction of the run that is done, 0 to 1."""
        return (self._done_bytes + self._running_bytes) / self._total_bytes

    @property
    def seconds_left(self) -> float | None:
        """Estimated remaining time; None while it is not known."""
        timed = self._done_bytes - sum(self._untimed.values()) + self._running_bytes
        elapsed = self._clock() - self._started
        if timed <= 0 or elapsed <= 0:
            return None
        left = self._total_bytes - self._done_bytes - self._running_bytes
        return left * elapsed / timed

    @property
    def _running_bytes(self) -> float:
        return sum(share * weight for share, weight in self._shares.values())

    def follow(self, batch: BatchStep) -> None:
        """Update the counts by a step."""
        if not self._begun and not self._finished:
            self._count = batch.count
            self._total_bytes = sum(map(_weight, batch.jobs))
        number, weight, progress = batch.number, _weight(batch.job), batch.progress
        if batch.done is not None:
            self._finished.add(number)
            self._shares.pop(number, None)
            self._done_bytes += weight
            if batch.done.file.status != "done":
                self._untimed[number] = weight
        elif progress is not None:
            self._shares[number] = progress.share, weight
            if number not in self._begun:  # planes of an earlier run took no time
                earlier = progress.planes / progress.plane_count
                self._untimed[number] = weight * earlier
            self._begun.add(number)

    def files(self) -> str:
        """Return files done as text; empty for one file."""
        return f"{len(self._finished)}/{self._count} files" if self._count > 1 else ""

    def left(self) -> str:
        """Return the remaining time as text; empty while it is not known."""
        seconds = self.seconds_left
        return "" if seconds is None else f"~{short_duration(seconds)} left"


def _weight(job: Job) -> float:
    return 0.0 if job.part_of is not None else float(job.size + _FIRST_BYTES)
