"""What the fits of networks with a blind spot share: loss, schedule, progress."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from torch import Tensor, nn

from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.compute.gradient import Loss
from napari_inr_denoise.core.compute.optimizer import descent
from napari_inr_denoise.core.ensemble.prediction import Candidate

_STEPS_BETWEEN_YIELDS = 10
"""So few that a caller may stop within about a second."""
_FIRST_LOOK, _STEPS_BETWEEN_LOOKS = 100, 150
"""Steps; a look renders the whole plane."""
_WARM_UP = 0.1
"""Share of the steps in which the rate rises."""
_FIRST_RATE, _LAST_RATE = 25.0, 1e4
"""The largest rate over the first, and the first over the last."""
_KEPT = (0.95, 0.85)
"""Shares of the gradients' mean that are kept at the least and the largest rate."""
_WEIGHT_DECAY = 1e-3


@dataclass(frozen=True)
class Training:
    """How far a fit is, and its answer once there is one.

    Attributes
    ----------
    step, steps : int
        Steps done and steps in all.
    candidate : Candidate or None
        At the last look at the whole plane.
    """

    step: int
    steps: int
    candidate: Candidate | None


class Optimiser:
    """AdamW whose rate rises over the first tenth of the steps and falls to nothing.

    Parameters
    ----------
    network : Module
        What is trained, on its device.
    rate : float
        The largest learning rate.
    steps : int
        How many steps there will be.
    """

    def __init__(self, network: nn.Module, rate: float, steps: int) -> None:
        weights: list[Tensor] = list(network.parameters())
        self._descent = descent(
            network, [{"params": weights, "weight_decay": _WEIGHT_DECAY}]
        )
        self._rate, self._steps, self._done = rate, steps, 0

    def step(self, losses: Sequence[Loss]) -> None:
        """Go down the gradient of a sum of losses."""
        self._descent.step(losses, *one_cycle(self._done, self._steps, self._rate))
        self._done += 1


def one_cycle(done: int, steps: int, rate: float) -> tuple[float, float]:
    """Return the learning rate of a step, and the share of the gradients it keeps.

    Smith, Topin, "Super-Convergence", 2019: the one rises along a cosine while the
    other falls, and back. The numbers of torch's OneCycleLR.

    Parameters
    ----------
    done : int
        Steps before this one.
    steps : int
        Steps in all.
    rate : float
        The largest learning rate.
    """
    top = _WARM_UP * (steps + 1) - 1
    if 0 <= done <= top and top > 0:
        share, (first, last), keeps = done / top, (rate / _FIRST_RATE, rate), _KEPT
    else:
        share, keeps = (done - top) / (steps - top), _KEPT[::-1]
        first, last = rate, rate / _FIRST_RATE / _LAST_RATE
    return _along_cosine(first, last, share), _along_cosine(*keeps, share)


def _along_cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) / 2.0 * (math.cos(math.pi * share) + 1)


def squared_error_and_risk(
    noisy: Tensor, predicted: Tensor, result: Tensor, added_noise: Tensor
) -> Tensor:
    """Return, value by value, the loss of a network with a blind spot.

    The squared error of the prediction, which has not seen the pixel, and Stein's
    unbiased risk of the result, which has: its squared difference from the pixel
    plus twice the covariance of result and noise.

    Parameters
    ----------
    noisy, predicted, result : Tensor
        The same shape. The result must not carry the prediction's gradient.
    added_noise : Tensor
        Noise variance times the share of the pixel's noise in the result.
    """
    return (predicted - noisy).square() + (result - noisy).square() + 2 * added_noise


class Trainee(Protocol):
    """A fit that can be trained step by step and rendered at any time."""

    steps: int

    def advance(self) -> None:
        """Take one optimisation step."""

    def render(self, turns: int) -> Generator[None, None, Candidate]:
        """Return the whole plane, the mean over so many turns; yields between parts."""


def looked_at(steps: int) -> set[int]:
    """Return the steps of a training after which the whole plane is rendered."""
    return {0, *range(_FIRST_LOOK, steps, _STEPS_BETWEEN_LOOKS)}


def train(fit: Trainee, turns: int) -> Generator[Training, None, Candidate]:
    """Train to the end, with looks at the whole plane on the way.

    Parameters
    ----------
    fit : Trainee
        The network and its plane.
    turns : int
        Flips and turns that the result is the mean of.

    Yields
    ------
    Training
        Every few steps, and between the parts of a rendering.

    Returns
    -------
    Candidate
        The result.
    """
    shown = looked_at(fit.steps)
    for step in range(fit.steps + 1):
        if step > 0:
            fit.advance()
        now = Training(step, fit.steps, None)
        if step in shown:
            look = yield from _rendered(fit.render(turns=1), now)
            yield replace(now, candidate=look)
        elif step % _STEPS_BETWEEN_YIELDS == 0:
            yield now
    return (yield from _rendered(fit.render(turns), now))


def _rendered(
    rendering: Generator[None, None, Candidate], training: Training
) -> Generator[Training, None, Candidate]:
    """Render, and yield the same training meanwhile, so that a caller may stop."""
    for _ in (run := GeneratorResult(rendering)):
        yield training
    return run.result
