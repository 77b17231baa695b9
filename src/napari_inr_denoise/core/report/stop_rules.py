"""Where the published stop rule differs from the end of a training."""

from __future__ import annotations

from collections.abc import Iterable

from napari_inr_denoise.core.report.labelled import LabelledEnum
from napari_inr_denoise.core.report.stop_reason import StopReason

_NEAR = 0.75
"""Share of the steps from which the published rule agrees with the end. The residual is
measured whenever the steps have grown by sqrt(2): no measurement lies in between."""
_HELD_OUT_RULES = {StopReason.HELD_OUT_FLAT.value, StopReason.TRAINED.value}


class StopRules(LabelledEnum):
    """The published stop rule beside the one that ended a training.

    The published one ends where the residual is down to the noise level. Blind-spot
    networks are trained until the error on held-out pixels hardly falls.
    """

    AGREE = (
        "agree",
        "stop rules agree",
        "The published stop rule would have ended the training here too.",
    )
    PUBLISHED_EARLIER = (
        "published_earlier",
        "published stop: earlier",
        "The published stop rule would have ended the training earlier: the residual "
        "was down to the noise level before the estimated error had settled.",
    )
    PUBLISHED_LATER = (
        "published_later",
        "published stop: later",
        "The published stop rule would have gone on: the residual did not come down to "
        "the noise level. Structure may be left in it, or the noise level may be too "
        "low.",
    )

    @classmethod
    def of(
        cls, reason: str, steps: int, noise_level_step: int | None
    ) -> StopRules | None:
        """Compare the rules; None if the training was not ended by held-out pixels.

        Parameters
        ----------
        reason : str
            Why the training ended: the value of a `StopReason`.
        steps : int
            Steps taken.
        noise_level_step : int or None
            First step at which the residual was down to the noise level.
        """
        if reason not in _HELD_OUT_RULES or steps == 0:
            return None
        if noise_level_step is None:
            return cls.PUBLISHED_LATER
        near = noise_level_step > _NEAR * steps
        return cls.AGREE if near else cls.PUBLISHED_EARLIER

    @property
    def differ(self) -> bool:
        """Whether the two rules disagree."""
        return self is not StopRules.AGREE

    def told(self, steps: int, noise_level_step: int | None) -> str:
        """Return the sentence for one plane, with its steps where they matter."""
        if self is not StopRules.PUBLISHED_EARLIER or noise_level_step is None:
            return self.sentence
        return (
            "The published stop rule would have ended the training after "
            f"{noise_level_step} of {steps} steps, when the residual was down to the "
            "noise level."
        )


def steps_in_all(steps: Iterable[int | None]) -> int | None:
    """Return the sum of the steps of several trainings; None if one is None."""
    each = list(steps)
    known = [one for one in each if one is not None]
    return sum(known) if len(known) == len(each) else None
