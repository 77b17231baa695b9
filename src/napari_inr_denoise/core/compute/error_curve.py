"""Held-out error of a training over its steps, and the decision when it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

_FIRST = 25
"""Step of the first evaluation; each one after it comes at sqrt(2) times the steps."""
_OCTAVES = 2
"""Doublings of the number of steps over which the gain is measured. Over a single one
it is too uncertain."""
_EARLY = 200
"""Steps before which a training may rest and go on, as between 50 and 150 steps on some
frames. A small gain does not end it then, but a rising error does."""
_LEAST_GAIN = 0.06
"""Share of the error by which the next doubling must lower it, with patience 1."""
_SMALL_ERROR = 0.05
"""Error, in units of the noise variance, below which an image counts as easy. Gains
are then compared with this."""
_SLOWING = 0.6
"""Gain of a doubling over that of the doubling before; a typical value."""


def fewest_steps(limit: int) -> int:
    """Return the number of steps after which a training can end at the earliest.

    Parameters
    ----------
    limit : int
        Largest number of steps.
    """
    back = 2 * _OCTAVES
    return min([*evaluation_steps(limit)[back : back + 1], limit])


def evaluation_steps(limit: int) -> list[int]:
    """Return the steps of a training after which its error is measured.

    Parameters
    ----------
    limit : int
        Largest number of steps.
    """
    count = 2 * max(math.log2(max(limit, 1) / _FIRST), -0.5)
    return [round(_FIRST * 2 ** (k / 2)) for k in range(math.floor(count + 1e-9) + 1)]


class HeldOutError(NamedTuple):
    """Error of a network on pixels that it was not trained on.

    Attributes
    ----------
    mean : float
        Stein's unbiased estimate of the mean squared error, in units of the noise
        variance. It can be below 0.
    pixels : int
        Number of values that it is the mean of.
    """

    mean: float
    pixels: int

    @property
    def uncertainty(self) -> float:
        """Standard error of the mean, most of which comes from the noise."""
        return math.sqrt(2 / max(self.pixels, 1))


@dataclass
class ErrorCurve:
    """Held-out errors of one training.

    Parameters
    ----------
    limit : int
        Largest number of steps.
    patience : float
        How long to go on for small gains; 2 goes on until half the usual gain.
    """

    limit: int
    patience: float = 1.0

    def __post_init__(self) -> None:
        self._errors: dict[int, HeldOutError] = {}

    def add(self, step: int, error: HeldOutError) -> None:
        """Add the error measured after a step."""
        self._errors[step] = error

    @property
    def relative_gain(self) -> float | None:
        """Gain of a doubling of the steps, as a share of the error.

        The mean over the last two doublings, or None if the training is too short.
        """
        steps = list(self._errors)
        back = 2 * _OCTAVES
        if len(steps) <= back:
            return None
        before, now = (self._errors[steps[k]] for k in (-1 - back, -1))
        error = max(now.mean, _SMALL_ERROR, now.uncertainty / 2)
        return (before.mean - now.mean) / _OCTAVES / error

    @property
    def is_flat(self) -> bool:
        """Whether training for as long again would gain too little."""
        gain = self.relative_gain
        if gain is None:
            return False
        *_, step = self._errors
        easy = self._errors[step].mean < _SMALL_ERROR
        least = _LEAST_GAIN / self.patience if step >= _EARLY or easy else 0.0
        return not gain >= least  # also where the training diverged

    @property
    def expected_steps(self) -> int:
        """Number of steps after which the training will probably end."""
        gain, steps = self.relative_gain, list(self._errors)
        if gain is None or self.is_flat:
            return steps[-1] if self.is_flat else self.limit
        wanted = _LEAST_GAIN / self.patience
        doublings = math.log(max(gain / wanted, 1.0)) / -math.log(_SLOWING)
        return min(math.ceil(steps[-1] * 2 ** max(doublings, 0.5)), self.limit)
