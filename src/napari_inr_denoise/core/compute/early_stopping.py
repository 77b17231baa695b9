"""Training that is evaluated now and then, and ends at the noise level."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.settings import SirenSettings

_LAST_LEFT = 0.0025
"""Height of the residual above the noise level at the end of a fit, over that at its
start, both as logarithms."""


@dataclass(frozen=True)
class StopRule(ABC):
    """Decides from an evaluation of the whole image whether the fit ends."""

    @abstractmethod
    def check(self, step: int, residual_variance: float) -> StopReason | None:
        """Return a reason to stop, or None to go on.

        Parameters
        ----------
        step : int
            Steps done.
        residual_variance : float
            MSE(output, noisy) over the valid pixels of the whole image.
        """


@dataclass(frozen=True)
class Discrepancy(StopRule):
    """Stop when MSE(output, noisy) <= sigma^2 (the discrepancy principle)."""

    noise_variance: float

    def check(self, step: int, residual_variance: float) -> StopReason | None:  # noqa: ARG002
        """Compare the residual with the noise, in the same units."""
        if residual_variance <= self.noise_variance:
            return StopReason.NOISE_LEVEL
        return None


@dataclass(frozen=True)
class Budget(StopRule):
    """Stop when the steps are used up."""

    max_steps: int

    def check(self, step: int, residual_variance: float) -> StopReason | None:  # noqa: ARG002
        """Compare the steps done with the steps allowed."""
        return StopReason.BUDGET if step >= self.max_steps else None


@dataclass(frozen=True)
class FirstOf(StopRule):
    """The first rule, in the order given, that has a reason to stop."""

    rules: tuple[StopRule, ...]

    def check(self, step: int, residual_variance: float) -> StopReason | None:
        """Ask the rules one after the other."""
        for rule in self.rules:
            reason = rule.check(step, residual_variance)
            if reason is not None:
                return reason
        return None


class Evaluation(Protocol):
    """A state of a fit, compared with the noisy image."""

    @property
    def steps(self) -> int:
        """Optimisation steps done."""

    @property
    def residual_rms(self) -> float:
        """Root of MSE(output, noisy), in the image's units; NaN if it went wrong."""


_Evaluation = TypeVar("_Evaluation", bound=Evaluation)
_Evaluation_co = TypeVar("_Evaluation_co", bound=Evaluation, covariant=True)


class Stoppable(Protocol[_Evaluation_co]):
    """A fit that goes on step by step and can be evaluated in between."""

    def advance(self, steps: int) -> None:
        """Take optimisation steps."""

    def evaluate(self) -> _Evaluation_co:
        """Compare the present state with the noisy image."""


@dataclass(frozen=True)
class FitProgress(Generic[_Evaluation]):
    """Where a training is at an evaluation.

    Attributes
    ----------
    current, best : Evaluation
        The present state, and the one with the least residual so far.
    progress : float
        Estimated share of the fit that is done, 0 to 1, never falling.
    """

    current: _Evaluation
    best: _Evaluation
    progress: float


def until_noise_level(
    fit: Stoppable[_Evaluation], sigma: float, settings: SirenSettings
) -> Generator[
    FitProgress[_Evaluation], None, tuple[FitProgress[_Evaluation], StopReason]
]:
    """Train until the residual comes down to the noise level.

    Parameters
    ----------
    fit : Stoppable
        Before its first step.
    sigma : float
        Noise level above 0, in the unit of the evaluations.
    settings : SirenSettings
        For `eval_every` and `max_steps`.

    Yields
    ------
    FitProgress
        At every evaluation, the first before any step.

    Returns
    -------
    FitProgress
        At the end.
    StopReason
        NON_FINITE where the last evaluation has no residual; its best is one before.
    """
    rule = FirstOf((Discrepancy(sigma**2), Budget(settings.max_steps)))
    first = before = current = best = fit.evaluate()
    progress = 0.0
    while math.isfinite(current.residual_rms):
        if current.residual_rms <= best.residual_rms:
            best = current
        reason = rule.check(current.steps, current.residual_rms**2)
        if reason is not None:
            return FitProgress(current, best, 1.0), reason
        progress = max(progress, _progress(current, first, sigma, settings))
        yield FitProgress(current, best, progress)
        fit.advance(steps_to_next_evaluation(before, current, sigma, settings))
        before, current = current, fit.evaluate()
    return FitProgress(current, best, 1.0), StopReason.NON_FINITE


def steps_to_next_evaluation(
    before: Evaluation, now: Evaluation, sigma: float, settings: SirenSettings
) -> int:
    """Return how many steps to take before the whole image is evaluated again.

    Never more than `eval_every`; fewer when the residual, going on as it fell
    between the last two evaluations, would come down to the noise level earlier. So the
    stop is not overshot early in a fit, where a few steps change much.

    Parameters
    ----------
    before, now : Evaluation
        The last two evaluations.
    sigma : float
        Noise level in the same units.
    settings : SirenSettings
        For `eval_every` and `max_steps`.
    """
    limit = min(settings.eval_every, settings.max_steps - now.steps)
    fallen = math.log(max(before.residual_rms, 1e-300) / now.residual_rms)
    if fallen <= 0 or now.steps == before.steps:
        return limit
    left = math.log(now.residual_rms / sigma)
    expected = left / fallen * (now.steps - before.steps)
    return max(min(math.ceil(expected), limit), 1)


def _progress(
    current: Evaluation, first: Evaluation, sigma: float, settings: SirenSettings
) -> float:
    """Estimate how much of the fit is done: by the steps or by the residual."""
    by_steps = current.steps / settings.max_steps
    height = math.log(max(first.residual_rms / sigma, 1.0 + 1e-9))
    left = math.log(max(current.residual_rms / sigma, 1.0)) / height
    # The residual falls ever more slowly: its logarithm falls about evenly.
    by_residual = math.log(max(left, _LAST_LEFT)) / math.log(_LAST_LEFT)
    return min(max(by_steps, by_residual), 1.0)
