"""Reasons why a fit ends, with a label and a sentence each."""

from __future__ import annotations

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
