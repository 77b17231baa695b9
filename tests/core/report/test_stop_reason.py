from __future__ import annotations

import pytest

from napari_inr_denoise.core.report.stop_reason import (
    Budget,
    Discrepancy,
    FirstOf,
    StopReason,
)


@pytest.mark.parametrize(
    ("residual", "reason"),
    [(4.01, None), (4.0, StopReason.NOISE_LEVEL), (1.0, StopReason.NOISE_LEVEL)],
)
def test_discrepancy(residual: float, reason: StopReason | None) -> None:
    assert Discrepancy(4.0).check(7, residual) is reason


@pytest.mark.parametrize(("step", "ends"), [(9, False), (10, True), (11, True)])
def test_budget(step: int, ends: bool) -> None:
    assert (Budget(10).check(step, 1e9) is StopReason.BUDGET) == ends


def test_the_first_rule_with_a_reason_wins() -> None:
    rule = FirstOf((Discrepancy(4.0), Budget(10)))
    assert rule.check(10, 4.0) is StopReason.NOISE_LEVEL
    assert rule.check(10, 5.0) is StopReason.BUDGET
    assert rule.check(9, 5.0) is None


def test_every_reason_has_its_own_sentence() -> None:
    sentences = {reason.sentence for reason in StopReason}
    assert len(sentences) == len(StopReason)
    assert all(sentence.endswith(".") for sentence in sentences)
