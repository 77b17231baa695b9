"""Rate and time left of a run, for files and for planes."""

from __future__ import annotations

import time
from collections.abc import Callable

from napari_inr_denoise.batch.run import BatchStep


class Pace:
    """Counts what is done; files that are skipped or fail say nothing of the rate.

    Parameters
    ----------
    clock : callable
        Returns seconds.

    Attributes
    ----------
    done : float
        Files done, with the shares of those at work.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._started = clock, clock()
        self._count = 1
        self._free = 0
        self._finished: set[int] = set()
        self._shares: dict[int, float] = {}
        self._begun: dict[int, tuple[int, float]] = {}

    @property
    def done(self) -> float:
        """Files done, with the shares of those at work."""
        return len(self._finished) + sum(self._shares.values())

    def follow(self, batch: BatchStep) -> None:
        """Take note of a step."""
        self._count = batch.count
        number, progress = batch.number, batch.progress
        if batch.done is not None:
            self._finished.add(number)
            self._shares.pop(number, None)
            self._free += batch.done.file.status != "done"
        elif progress is not None:
            self._shares[number] = progress.share
            self._begun.setdefault(number, (progress.planes, self._clock()))

    def files(self) -> str:
        """Return files done, rate and time left, in words; empty for a single file."""
        if self._count == 1:
            return ""
        told = f"{len(self._finished)} of {self._count} files"
        worked = self.done - self._free
        elapsed = self._clock() - self._started
        if worked <= 0 or elapsed <= 0:
            return told
        left = (self._count - self.done) * elapsed / worked
        return f"{told}, {3600 * worked / elapsed:.3g}/h, {in_words(left)} left"

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
        return f"{told}, {60 * done / elapsed:.3g}/min, {in_words(left)} left"


def in_words(seconds: float) -> str:
    """Return a time in the unit that suits it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
