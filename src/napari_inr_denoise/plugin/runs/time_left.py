"""Time until the end of a run: as expected at first, then from the measured curve."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.preflight.estimate import Preflight

_MEASURED = 0.2
"""Share of the work from which the measured pace alone counts."""
_TRAINED = 0.995
"""Share of the work from which the result is only filtered."""
_MOST_SLOWED = 5.0
"""Most times as long as expected that the filters are told to take."""
_LEAST = 0.02
"""Share of the work before which nothing can be told without an expectation."""


@dataclass(frozen=True)
class Expected:
    """What a run is expected to take, in seconds.

    Attributes
    ----------
    seconds : float
        The whole run.
    finishing : float
        The part of it after the last training: prediction and filters. It is no part
        of the progress that a run tells of one plane.
    told : Preflight or None
        The estimate of the whole image, as it was measured; None if the run does not
        denoise all of it.
    """

    seconds: float
    finishing: float = 0.0
    told: Preflight | None = None


class TimeLeft:
    """Estimates the time until the end of one run.

    While the progress stands still, the network predicts or the result is filtered: the
    time then counts down. What slows down the training, such as other programs, slows
    down the filters too.

    Parameters
    ----------
    expected : Expected or None
        None if it is not known.
    clock : callable
        Returns the time in seconds.
    """

    def __init__(
        self, expected: Expected | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._expected, self._clock = expected, clock
        self._began = self._changed = self._trained_from = clock()
        self._progress, self._most = 0.0, math.inf

    def follow(self, progress: float) -> None:
        """Take the finished share of the work, 0 to 1."""
        if self._progress == progress == 0:
            self._trained_from = self._clock()  # the noise was measured before
        if progress > self._progress:
            # The prediction may have been counted down already.
            before = self.seconds if progress >= _TRAINED else None
            self._most = math.inf if before is None else before
            self._progress, self._changed = progress, self._clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._began

    @property
    def seconds(self) -> float | None:
        """Seconds until the end; None while they are not known."""
        left = self._at_change()
        if left is None:
            return None
        return max(left - (self._clock() - self._changed), 0.0)

    def _at_change(self) -> float | None:
        """Return the time that was left when the progress last changed."""
        share, spent = self._progress, self._changed - self._began
        paced, expected = self._changed - self._trained_from, self._expected
        if expected is None:
            return paced * (1 - share) / share if share >= _LEAST else None
        finishing = min(expected.finishing, expected.seconds)
        training = expected.seconds - finishing
        by_estimate = max(training - spent, 0.0)
        by_pace = paced * (1 - share) / share if share > 0 else by_estimate
        weight = min(share / _MEASURED, 1.0)
        left = weight * by_pace + (1 - weight) * by_estimate
        # A training that ends early is no faster one.
        slowed = (spent + left) / training if training > 0 else 1.0
        finishing *= min(max(slowed, 1.0), _MOST_SLOWED)
        return min(left + finishing, self._most)
