from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pytest

from napari_inr_denoise.core.compute.early_stopping import (
    Budget,
    Discrepancy,
    FirstOf,
    FitProgress,
    steps_to_next_evaluation,
    until_noise_level,
)
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.settings import DenoiseSettings


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


@dataclass(frozen=True)
class _Seen:
    steps: int
    residual_rms: float


class _Falling:
    """A fit whose residual falls from 8 by a tenth in each step; NaN from `breaks` on.

    From step `rises` on it rises again. All in some unit.
    """

    def __init__(
        self, breaks: float = math.inf, rises: float = math.inf, unit: float = 1.0
    ) -> None:
        self._steps, self._breaks, self._rises = 0, breaks, rises
        self._unit = unit

    def advance(self, steps: int) -> None:
        self._steps += steps

    def evaluate(self) -> _Seen:
        if self._steps >= self._breaks:
            return _Seen(self._steps, math.nan)
        fallen = min(self._steps, 2 * self._rises - self._steps)
        return _Seen(self._steps, self._unit * 8 * 0.9**fallen)


def _trained(
    fit: _Falling, settings: DenoiseSettings, sigma: float = 1.0
) -> tuple[list[FitProgress[_Seen]], FitProgress[_Seen], StopReason]:
    run = GeneratorResult(until_noise_level(fit, sigma, settings.siren))
    return list(run), *run.result


def test_it_ends_at_the_noise_level(tiny: DenoiseSettings) -> None:
    evaluations, end, reason = _trained(_Falling(), tiny)
    assert reason is StopReason.NOISE_LEVEL
    assert end.best is end.current
    assert 0.9 < end.current.residual_rms <= 1
    assert evaluations[0].current.steps == 0
    progress = [one.progress for one in evaluations]
    assert progress == sorted(progress)
    assert 0 <= progress[0] < progress[-1] < end.progress == 1


@pytest.mark.parametrize("unit", [0.01, 30.0])
def test_the_unit_does_not_matter(tiny: DenoiseSettings, unit: float) -> None:
    evaluations, end, reason = _trained(_Falling(unit=unit), tiny, unit)
    plain, plain_end, plain_reason = _trained(_Falling(), tiny)
    assert reason is plain_reason
    assert end.current.steps == plain_end.current.steps
    assert [one.current.steps for one in evaluations] == [
        one.current.steps for one in plain
    ]
    progress = [one.progress for one in plain]
    assert [one.progress for one in evaluations] == pytest.approx(progress)


class _Slower(_Falling):
    """The logarithm of its residual over the noise level falls ever more slowly."""

    def evaluate(self) -> _Seen:
        return _Seen(self._steps, math.exp(4 * math.exp(-self._steps / 10)))


def test_the_progress_is_even_where_the_residual_falls_ever_more_slowly(
    tiny: DenoiseSettings,
) -> None:
    evaluations, _, _ = _trained(_Slower(), replace(tiny, max_steps=200))
    for one in evaluations:
        share = one.current.steps / 10 / math.log(1 / 0.0025)
        by_steps = one.current.steps / 200
        assert one.progress == pytest.approx(min(max(share, by_steps), 1), abs=1e-4)


def test_the_budget_ends_it_with_the_best(tiny: DenoiseSettings) -> None:
    _, end, reason = _trained(_Falling(rises=10), replace(tiny, max_steps=15))
    assert reason is StopReason.BUDGET
    assert (end.best.steps, end.current.steps) == (10, 15)


def test_a_state_without_numbers_ends_it_with_the_best_before(
    tiny: DenoiseSettings,
) -> None:
    evaluations, end, reason = _trained(_Falling(breaks=12), tiny)
    assert reason is StopReason.NON_FINITE
    assert end.best == evaluations[-1].current
    assert end.best.steps == 10


def test_a_fit_that_cannot_begin_has_no_evaluations(tiny: DenoiseSettings) -> None:
    evaluations, end, reason = _trained(_Falling(breaks=0), tiny)
    assert evaluations == []
    assert reason is StopReason.NON_FINITE
    assert math.isnan(end.best.residual_rms)


@pytest.mark.parametrize(
    ("before", "now", "wanted"),
    [
        ((0, 8.0), (0, 8.0), 10),  # nothing known yet: the whole interval
        ((0, 8.0), (10, 4.0), 10),  # two such falls away: the whole interval
        ((0, 2.0), (10, 1.1), 2),  # nearly there: a few steps
        ((20, 2.0), (30, 1.1), 2),  # the same later
        ((0, 2.0), (10, 1.01), 1),  # one at least
        ((0, 2.0), (10, 2.0), 10),  # no fall: the whole interval
        ((20, 2.0), (35, 1.9), 5),  # the budget leaves 5
    ],
)
def test_evaluations_come_closer_near_the_level(
    before: tuple[int, float],
    now: tuple[int, float],
    wanted: int,
    tiny: DenoiseSettings,
) -> None:
    for unit in (1.0, 1e-3, 50.0):
        then, here = (_Seen(steps, rms * unit) for steps, rms in (before, now))
        assert steps_to_next_evaluation(then, here, unit, tiny.siren) == wanted
