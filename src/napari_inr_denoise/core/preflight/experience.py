"""What earlier runs of this process took, beside their estimates."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.preflight.estimate import Preflight

_MOST_RUNS = 4
"""Newest runs that count: the load of the machine and the images change."""
_MOST_RATIO = 4.0
"""Largest correction, up or down: a computer that slept during a run is no slower."""


@dataclass(frozen=True)
class _Run:
    """How a run differed from its estimate.

    Attributes
    ----------
    ratio : float
        Duration over that expected for the steps that it took.
    share : float or None
        Where its trainings ended, from their earliest end (0) to their last step (1);
        None if there was no range.
    """

    ratio: float
    share: float | None


class Experience:
    """Corrects estimates by the runs since the program started.

    An estimate is measured for seconds, with nothing else at work in the program. In a
    window, a run also draws, and images of one session have much in common: how fast
    they are denoised and how early their trainings end.
    """

    def __init__(self) -> None:
        self._runs: dict[tuple[object, ...], deque[_Run]] = {}

    def forget(self) -> None:
        """Forget all runs."""
        self._runs.clear()

    def note(self, told: Preflight, seconds: float, steps: Sequence[int]) -> None:
        """Take a finished run.

        Parameters
        ----------
        told : Preflight
            Its estimate, without corrections.
        seconds : float
            What it took.
        steps : sequence of int
            Optimization steps of each plane; 0 where nothing was fitted.
        """
        fitted = [count for count in steps if count > 0]
        if told.at_most or not fitted or not (told.seconds > 0 and seconds > 0):
            return
        (fewest, most), (low, high) = told.steps, told.range_s
        share, expected = None, told.seconds
        if most > fewest:
            reached = (sum(fitted) / len(fitted) - fewest) / (most - fewest)
            share = min(max(reached, 0.0), 1.0)
            expected = low + share * (high - low)
        ratio = min(max(seconds / expected, 1 / _MOST_RATIO), _MOST_RATIO)
        runs = self._runs.setdefault(told.kind, deque(maxlen=_MOST_RUNS))
        runs.append(_Run(ratio, share))

    def corrected(self, told: Preflight) -> Preflight:
        """Return an estimate as earlier runs of its kind suggest; unchanged if none."""
        runs = self._runs.get(told.kind)
        if not runs:
            return told
        (low, high), expected = told.range_s, told.seconds
        # The estimate itself counts as much as one run.
        shares = [one.share for one in runs if one.share is not None]
        if shares and high > low:
            shares.append((expected - low) / (high - low))
            expected = low + sum(shares) / len(shares) * (high - low)
        logarithms = sum(math.log(one.ratio) for one in runs)
        ratio = math.exp(logarithms / (len(runs) + 1))
        return replace(
            told,
            seconds=ratio * expected,
            range_s=(ratio * low, ratio * high),
            finishing_s=ratio * told.finishing_s,
        )


EXPERIENCE = Experience()
"""Of this process."""
