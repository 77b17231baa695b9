"""Held-out error of a training over its steps, and the decision when it ends."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FIRST_EVALUATION = 25
"""Step of the first evaluation; each one after it comes at sqrt(2) times the steps."""
_OCTAVES = 2
"""Doublings of the number of steps over which the gain is measured. Over a single one
it is too uncertain."""
_EARLY = 0.66
"""Share of the most steps before which only an easy image ends the training. Until then
a training may rest and go on. A longer one has less bias and more variance, which the
post-filters remove but the held-out error counts: where it rises from 140 steps on, a
dim stack still gains 0.15 dB by 600."""
_HALF = 0.47
"""Share of the most steps from which an easy image ends the training, whatever it would
still gain: the post-filters do most of the work. With `fast`, three of five images with
little noise then end after 100 of 200 steps."""
_TO_THE_LIMIT = 0.8
"""Share of the images that are not easy whose trainings take all steps: with `fast`, 18
of 22 real frames and photographs."""
_LEAST_GAIN = 0.06
"""Share of the error by which the next doubling must lower it, with patience 1."""
_SMALL_ERROR = 0.0015
"""Mean squared error, as a share of the variance of the signal, below which an image
counts as easy. Gains are then compared with this."""
_STEEP, _LONGER = 0.2, 4
"""Share of the error by which the last doubling lowered it, two standard errors taken
off, from which a training goes on beyond the most steps, and up to how many times as
many. Thin filaments gain 0.55 to 1.0 at the end of `fast`; real frames and photographs
at most 0.2, and noise of half a photon a pixel nothing."""
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


def usual_steps(limit: int) -> float:
    """Return where a training ends whose image is not easy, before it has begun.

    It ends at one of the evaluations from `_EARLY` on, or at the limit, and mostly at
    the limit: the mean over both is weighted by that.

    Parameters
    ----------
    limit : int
        Largest number of steps.
    """
    late = [step for step in evaluation_steps(limit) if step >= _EARLY * limit]
    first = min([*late, limit])
    return first + _TO_THE_LIMIT * (limit - first)


def evaluation_steps(limit: int) -> list[int]:
    """Return the steps of a training after which its error is measured.

    Parameters
    ----------
    limit : int
        Largest number of steps.
    """
    count = 2 * max(math.log2(max(limit, 1) / FIRST_EVALUATION), -0.5)
    return [
        round(FIRST_EVALUATION * 2 ** (k / 2))
        for k in range(math.floor(count + 1e-9) + 1)
    ]


@dataclass(frozen=True)
class HeldOutError:
    """Error of a network on pixels that it was not trained on.

    Attributes
    ----------
    values : ndarray, shape (N,)
        Stein's unbiased estimate of the squared error of each pixel, in units of the
        noise variance. Single values, and even their mean, can be below 0.
    signal : float
        Variance of the image without its noise, in units of the noise variance.
    """

    values: NDArray[np.floating] = field(repr=False)
    signal: float

    @property
    def mean(self) -> float:
        """Estimated mean squared error, in units of the noise variance."""
        return float(self.values.mean())

    @property
    def uncertainty(self) -> float:
        """Standard error of the mean."""
        return float(self.values.std()) / math.sqrt(len(self.values))

    @property
    def is_small(self) -> bool:
        """Whether it is small beside the contrast of the image."""
        return self.mean < _SMALL_ERROR * self.signal


@dataclass(frozen=True)
class Evaluation:
    """A state of a training, seen on pixels that it was not trained on.

    Attributes
    ----------
    residual : float
        Mean squared difference of result and noisy pixels, in noise variances. The
        published method ends a training where it is down to 1.
    error : HeldOutError or None
        None where it cannot be measured, as for correlated noise.
    """

    residual: float
    error: HeldOutError | None = None

    @property
    def reached_noise_level(self) -> bool:
        """Whether the published method would end the training."""
        return self.residual <= 1.0


@dataclass
class ErrorCurve:
    """Held-out errors of one training, always on the same pixels.

    Parameters
    ----------
    limit : int
        Largest number of steps. It is doubled, once, where the error still falls
        steeply at its end.
    patience : float
        How long to go on for small gains; 2 goes on until half the usual gain.
    """

    limit: int
    patience: float = 1.0

    def __post_init__(self) -> None:
        self._errors: dict[int, HeldOutError] = {}
        self.longest = _LONGER * self.limit

    def add(self, step: int, error: HeldOutError) -> None:
        """Add the error measured after a step."""
        self._errors[step] = error
        if step == max(evaluation_steps(self.limit)) and self.limit < self.longest:
            gain, uncertainty = self._gain(1) or (0.0, 0.0)
            if gain - 2 * uncertainty > _STEEP:
                self.limit *= 2

    @property
    def relative_gain(self) -> tuple[float, float] | None:
        """Gain of a doubling of the steps, as a share of the error, and its error.

        The mean over the last two doublings, with its standard error, which is much
        smaller than that of the errors: all are measured on the same pixels. None if
        the training is too short.
        """
        return self._gain(_OCTAVES)

    def _gain(self, octaves: int) -> tuple[float, float] | None:
        """Return the mean gain of the last doublings, and its standard error."""
        errors = list(self._errors.values())
        if len(errors) <= 2 * octaves:
            return None
        before, now = errors[-1 - 2 * octaves], errors[-1]
        error = max(now.mean, _SMALL_ERROR * now.signal, now.uncertainty / 2)
        gains = (before.values - now.values) / (octaves * error)
        return float(gains.mean()), float(gains.std()) / math.sqrt(len(gains))

    @property
    def is_flat(self) -> bool:
        """Whether training for as long again would gain too little."""
        if self.relative_gain is None:
            return False
        gain, uncertainty = self.relative_gain
        *_, step = self._errors
        is_easy = self._errors[step].is_small
        if is_easy and step >= _HALF * self.limit:
            return True
        if step < _EARLY * self.limit and not is_easy:
            return not math.isfinite(gain)
        least = _LEAST_GAIN / self.patience
        return not gain + uncertainty >= least

    @property
    def expected_steps(self) -> int:
        """Number of steps after which the training will probably end."""
        *_, step = self._errors
        if self.is_flat:
            return step
        if self.relative_gain is None:
            return self.limit
        gain, _ = self.relative_gain
        wanted = _LEAST_GAIN / self.patience
        doublings = math.log(max(gain / wanted, 1.0)) / -math.log(_SLOWING)
        return min(math.ceil(step * 2 ** max(doublings, 0.5)), self.limit)
