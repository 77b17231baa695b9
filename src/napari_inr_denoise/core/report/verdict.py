"""What was removed from an image, as a plain verdict."""

from __future__ import annotations

from enum import Enum


class Verdict(Enum):
    """What a residual is made of. `value` stands in reports, `sentence` for people."""

    NOISE_ONLY = "noise_only"
    STRUCTURE = "structure_removed"
    CORRELATED = "noise_correlated"

    @property
    def sentence(self) -> str:
        """The verdict in plain words."""
        return _SENTENCES[self]


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
