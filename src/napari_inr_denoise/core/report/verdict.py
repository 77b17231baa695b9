"""Verdict on what was removed from an image."""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    """What a residual contains. Reports contain `value`; the rest is for users."""

    NOISE_ONLY = "noise_only"
    STRUCTURE = "structure_removed"
    CORRELATED = "noise_correlated"

    @property
    def label(self) -> str:
        """The verdict in two or three words, for tables."""
        return _LABELS[self]

    @property
    def sentence(self) -> str:
        """The verdict as a sentence."""
        return _SENTENCES[self]


_LABELS = {
    Verdict.NOISE_ONLY: "noise only",
    Verdict.STRUCTURE: "more than noise",
    Verdict.CORRELATED: "correlated noise",
}
_SENTENCES = {
    Verdict.NOISE_ONLY: "What was removed looks like noise only.",
    Verdict.STRUCTURE: (
        "What was removed holds more than noise: some structure may be lost. Compare "
        "the result with the input."
    ),
    Verdict.CORRELATED: (
        "The noise is correlated between neighbouring pixels, so fine structure and "
        "noise are hard to tell apart here."
    ),
}
