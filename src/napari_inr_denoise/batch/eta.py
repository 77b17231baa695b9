"""Rate and time left of a run, for files and for planes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from napari_inr_denoise.core.report.duration import short_duration

if TYPE_CHECKING:  # the modules behind it load torch
    from napari_inr_denoise.batch.jobs import Job
    from napari_inr_denoise.batch.serial import BatchStep

_FIRST_BYTES = 2**20
"""A file takes as long as its bytes and about so many more, for its first fit."""


class Pace:
    """Counts what is done; files that are skipped or fail say nothing of the rate.

    Files count by their sizes: one large stack among many planes takes most of the
    time.

    Parameters
    ----------
    clock : callable
        Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._started = clock, clock()
        self._count, self._work = 1, 1.0
        self._finished: set[int] = set()
        self._timed: set[int] = set()
        self._done_work, self._free_work = 0.0, 0.0
        self._shares: dict[int, tuple[float, float]] = {}
        self._begun: dict[int, tuple[int, float]] = {}

    @property
    def share(self) -> float:
        """Of the run that is done, 0 to 1."""
        return (self._done_work + self._at_work) / self._work

    @property
    def seconds_left(self) -> float | None:
        """What the run will take from now on; None while that is not known."""
        worked = self._done_work - self._free_work + self._at_work
        elapsed = self._clock() - self._started
        if worked <= 0 or elapsed <= 0:
            return None
        left = self._work - self._done_work - self._at_work
        return left * elapsed / worked

    @property
    def _at_work(self) -> float:
        return sum(share * work for share, work in self._shares.values())

    def follow(self, batch: BatchStep) -> None:
        """Take note of a step."""
        if not self._begun and not self._finished:
            self._count = batch.count
            self._work = sum(map(_work_of, batch.jobs))
        number, work, progress = batch.number, _work_of(batch.job), batch.progress
        if batch.done is not None:
            self._finished.add(number)
            self._shares.pop(number, None)
            self._done_work += work
            if batch.done.file.status == "done":
                self._timed.add(number)
            else:
                self._free_work += work
        elif progress is not None:
            self._shares[number] = progress.share, work
            self._begun.setdefault(number, (progress.planes, self._clock()))

    def files(self) -> str:
        """Return files done, rate and time left, in words; empty for a single file."""
        if self._count == 1:
            return ""
        told = f"{len(self._finished)} of {self._count} files"
        left = self.seconds_left
        if left is None:
            return told
        done = len(self._timed) + sum(share for share, _ in self._shares.values())
        rate = 3600 * done / (self._clock() - self._started)
        return f"{told}, {rate:.3g}/h, {short_duration(left)} left"

    def planes(self, batch: BatchStep) -> str:
        """Return planes done of a file, rate and time left; empty for a single one."""
        progress = batch.progress
        if progress is None or progress.plane_count == 1:
            return ""
        told = f"{progress.planes} of {progress.plane_count} planes"
        first, since = self._begun.get(batch.number, (0, self._clock()))
        done, elapsed = progress.planes - first, self._clock() - since
        if done <= 0 or elapsed <= 0:
            return told
        left = (progress.plane_count - progress.planes) * elapsed / done
        return f"{told}, {60 * done / elapsed:.3g}/min, {short_duration(left)} left"


def _work_of(job: Job) -> float:
    return 0.0 if job.part_of is not None else float(job.size + _FIRST_BYTES)
