"""Rate and remaining time of a run, for files and for planes."""

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
    that are skipped or fail do not count for the rate.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._started = clock, clock()
        self._count, self._total_bytes = 1, 1.0
        self._finished: set[int] = set()
        self._timed: set[int] = set()
        self._done_bytes, self._untimed_bytes = 0.0, 0.0
        self._shares: dict[int, tuple[float, float]] = {}
        self._started_planes: dict[int, tuple[int, float]] = {}

    @property
    def share(self) -> float:
        """Fraction of the run that is done, 0 to 1."""
        return (self._done_bytes + self._running_bytes) / self._total_bytes

    @property
    def seconds_left(self) -> float | None:
        """Estimated remaining time; None while it is not known."""
        timed = self._done_bytes - self._untimed_bytes + self._running_bytes
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
        if not self._started_planes and not self._finished:
            self._count = batch.count
            self._total_bytes = sum(map(_weight, batch.jobs))
        number, weight, progress = batch.number, _weight(batch.job), batch.progress
        if batch.done is not None:
            self._finished.add(number)
            self._shares.pop(number, None)
            self._done_bytes += weight
            if batch.done.file.status == "done":
                self._timed.add(number)
            else:
                self._untimed_bytes += weight
        elif progress is not None:
            self._shares[number] = progress.share, weight
            self._started_planes.setdefault(number, (progress.planes, self._clock()))

    def files(self) -> str:
        """Return files done, rate and remaining time as text; empty for one file."""
        if self._count == 1:
            return ""
        text = f"{len(self._finished)} of {self._count} files"
        left = self.seconds_left
        if left is None:
            return text
        done = len(self._timed) + sum(share for share, _ in self._shares.values())
        rate = 3600 * done / (self._clock() - self._started)
        return f"{text}, {rate:.3g}/h, {short_duration(left)} left"

    def planes(self, batch: BatchStep) -> str:
        """Return the same for the planes of a file; empty for one plane."""
        progress = batch.progress
        if progress is None or progress.plane_count == 1:
            return ""
        text = f"{progress.planes} of {progress.plane_count} planes"
        first, since = self._started_planes.get(batch.number, (0, self._clock()))
        done, elapsed = progress.planes - first, self._clock() - since
        if done <= 0 or elapsed <= 0:
            return text
        left = (progress.plane_count - progress.planes) * elapsed / done
        return f"{text}, {60 * done / elapsed:.3g}/min, {short_duration(left)} left"


def _weight(job: Job) -> float:
    return 0.0 if job.part_of is not None else float(job.size + _FIRST_BYTES)
