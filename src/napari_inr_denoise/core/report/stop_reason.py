"""Reasons why a fit ends, and the rules that end it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum


class StopReason(Enum):
    """Why a fit ended. Reports contain `value`; the rest is for users."""

    NOISE_LEVEL = "noise_level"
    TRAINED = "trained"
    BUDGET = "budget"
    CALLER = "stopped"
    NON_FINITE = "non_finite"
    NO_NOISE = "no_noise"
    TOO_FEW_PIXELS = "too_few_pixels"

    @property
    def label(self) -> str:
        """The reason in one to three words, for tables."""
        return _LABELS[self]

    @property
    def sentence(self) -> str:
        """The reason as a sentence."""
        return _SENTENCES[self]


_LABELS = {
    StopReason.NOISE_LEVEL: "noise level",
    StopReason.TRAINED: "trained",
    StopReason.BUDGET: "budget",
    StopReason.CALLER: "stopped",
    StopReason.NON_FINITE: "unstable",
    StopReason.NO_NOISE: "no noise",
    StopReason.TOO_FEW_PIXELS: "too few pixels",
}
_SENTENCES = {
    StopReason.NOISE_LEVEL: "The residual came down to the estimated noise level.",
    StopReason.TRAINED: (
        "The networks were trained to their end and combined by their error on "
        "pixels that were held out."
    ),
    StopReason.BUDGET: (
        "The steps allowed were used up before the residual came down to the noise "
        "level; this is the result nearest to it."
    ),
    StopReason.CALLER: "Stopped by the user; this is the best result so far.",
    StopReason.NON_FINITE: (
        "The fit became numerically unstable; this is the best result before that."
    ),
    StopReason.NO_NOISE: "No noise was found; the image is returned as it was.",
    StopReason.TOO_FEW_PIXELS: (
        "Too few valid pixels to tell signal from noise; the image is returned as it "
        "was."
    ),
}


@dataclass(frozen=True)
class StopRule(ABC):
    """Decides after each evaluation of the whole image whether the fit ends."""

    @abstractmethod
    def check(self, step: int, residual_variance: float) -> StopReason | None:
        """Return the reason to stop, or None to continue.

        Parameters
        ----------
        step : int
            Steps done.
        residual_variance : float
            MSE(output, noisy) over the valid pixels of the whole image.
        """


@dataclass(frozen=True)
class Discrepancy(StopRule):
    """Discrepancy principle: stop when MSE(output, noisy) <= sigma^2."""

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
    """Stop as soon as one of several rules stops."""

    rules: tuple[StopRule, ...]

    def check(self, step: int, residual_variance: float) -> StopReason | None:
        """Return the reason of the first rule that stops."""
        for rule in self.rules:
            reason = rule.check(step, residual_variance)
            if reason is not None:
                return reason
        return None
