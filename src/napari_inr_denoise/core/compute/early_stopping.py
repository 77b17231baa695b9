"""Training that is looked at now and then, and ends at the noise level."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Generator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.settings import SirenSettings


@dataclass(frozen=True)
class StopRule(ABC):
    """Decides from a look at the whole image whether the fit ends."""

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


class Look(Protocol):
    """A state of a fit, compared with the noisy image."""

    @property
    def steps(self) -> int:
        """Optimisation steps done."""

    @property
    def residual_rms(self) -> float:
        """Root of MSE(output, noisy), in the image's units; NaN if it went wrong."""


_Look = TypeVar("_Look", bound=Look)
_Look_co = TypeVar("_Look_co", bound=Look, covariant=True)


class Stoppable(Protocol[_Look_co]):
    """A fit that goes on step by step and can be looked at in between."""

    def advance(self, steps: int) -> None:
        """Take optimisation steps."""

    def look(self) -> _Look_co:
        """Return the present state."""


@dataclass(frozen=True)
class Watched(Generic[_Look]):
    """Where a training is at a look.

    Attributes
    ----------
    look, best : Look
        The present state, and the one with the least residual so far.
    progress : float
        Estimated share of the fit that is done, 0 to 1, never falling.
    """

    look: _Look
    best: _Look
    progress: float


def until_noise_level(
    fit: Stoppable[_Look], sigma: float, settings: SirenSettings
) -> Generator[Watched[_Look], None, tuple[Watched[_Look], StopReason]]:
    """Train until the residual comes down to the noise level.

    Parameters
    ----------
    fit : Stoppable
        Before its first step.
    sigma : float
        Noise level above 0, in the unit of the looks.
    settings : SirenSettings
        For `eval_every` and `max_steps`.

    Yields
    ------
    Watched
        At every look, the first before any step.

    Returns
    -------
    Watched
        At the end.
    StopReason
        NON_FINITE where the last look has no residual; its best is one before.
    """
    rule = FirstOf((Discrepancy(sigma**2), Budget(settings.max_steps)))
    first = before = look = best = fit.look()
    progress = 0.0
    while math.isfinite(look.residual_rms):
        if look.residual_rms <= best.residual_rms:
            best = look
        reason = rule.check(look.steps, look.residual_rms**2)
        if reason is not None:
            return Watched(look, best, 1.0), reason
        progress = max(progress, _progress(look, first, sigma, settings))
        yield Watched(look, best, progress)
        fit.advance(steps_to_next_look(before, look, sigma, settings))
        before, look = look, fit.look()
    return Watched(look, best, 1.0), StopReason.NON_FINITE


def steps_to_next_look(
    before: Look, now: Look, sigma: float, settings: SirenSettings
) -> int:
    """Return how many steps to take before the whole image is looked at again.

    Never more than `eval_every`; fewer when the residual, going on as it fell
    between the last two looks, would come down to the noise level earlier. So the
    stop is not overshot early in a fit, where a few steps change much.

    Parameters
    ----------
    before, now : Look
        The last two looks.
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


def _progress(look: Look, first: Look, sigma: float, settings: SirenSettings) -> float:
    """Estimate how much of the fit is done: by the steps or by the residual."""
    by_steps = look.steps / settings.max_steps
    height = math.log(max(first.residual_rms / sigma, 1.0 + 1e-9))
    left = math.log(max(look.residual_rms / sigma, 1.0))
    # The residual falls fast at first and slowly in the end: the square makes the
    # bar move about evenly.
    return min(max(by_steps, (1 - left / height) ** 2), 1.0)
