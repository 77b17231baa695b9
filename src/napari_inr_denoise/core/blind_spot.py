"""What the fits of networks with a blind spot share: loss, schedule, progress."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor, nn

from napari_inr_denoise.core.candidate import Candidate
from napari_inr_denoise.core.gradient import Gradient, Loss
from napari_inr_denoise.core.outcome import Outcome

_STEPS_BETWEEN_YIELDS = 10
_FIRST_LOOK, _STEPS_BETWEEN_LOOKS = 100, 150
_WARM_UP = 0.1
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
        self._gradient = Gradient(network)
        device = next(network.parameters()).device
        self._adam = torch.optim.AdamW(
            network.parameters(),
            lr=rate,
            weight_decay=_WEIGHT_DECAY,
            fused=device.type in ("cpu", "cuda"),
        )
        total = steps + 1
        # torch divides by the length of the rise less one step.
        rise = _WARM_UP if _WARM_UP * total != 1 else 2 * _WARM_UP
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._adam, rate, total_steps=total, pct_start=rise
        )

    def step(self, losses: Sequence[Loss]) -> None:
        """Go down the gradient of a sum of losses."""
        self._gradient.take(losses)
        self._adam.step()
        self._schedule.step()


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
    for _ in (run := Outcome(rendering)):
        yield training
    return run.result
