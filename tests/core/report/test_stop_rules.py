from __future__ import annotations

import pytest

from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.stop_rules import StopRules, steps_in_all


@pytest.mark.parametrize(
    ("steps", "reached", "rules"),
    [
        (200, 25, StopRules.PUBLISHED_EARLIER),
        (300, 200, StopRules.PUBLISHED_EARLIER),
        (141, 100, StopRules.PUBLISHED_EARLIER),
        (300, 283, StopRules.AGREE),
        (200, 200, StopRules.AGREE),
        (200, None, StopRules.PUBLISHED_LATER),
    ],
)
def test_the_two_rules_are_compared(
    steps: int, reached: int | None, rules: StopRules
) -> None:
    for reason in (StopReason.TRAINED, StopReason.HELD_OUT_FLAT):
        assert StopRules.of(reason.value, steps, reached) is rules
    assert rules.differ is (rules is not StopRules.AGREE)


@pytest.mark.parametrize(
    "reason", [StopReason.NOISE_LEVEL, StopReason.CALLER, StopReason.NO_NOISE]
)
def test_one_rule_alone_is_not_compared(reason: StopReason) -> None:
    assert StopRules.of(reason.value, 100, 50) is None
    assert StopRules.of(StopReason.TRAINED.value, 0, None) is None


def test_the_sentence_has_the_steps() -> None:
    told = StopRules.PUBLISHED_EARLIER.told(200, 35)
    assert "after 35 of 200 steps" in told
    assert StopRules.PUBLISHED_LATER.told(200, None).startswith(
        "The published stop rule would have gone on"
    )


def test_several_trainings_reach_the_noise_level_when_all_do() -> None:
    assert steps_in_all([25, 50]) == 75
    assert steps_in_all([25, None]) is None
