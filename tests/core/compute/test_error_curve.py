"""When a training ends, by its error on held-out pixels."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from napari_inr_denoise.core.compute.error_curve import (
    ErrorCurve,
    HeldOutError,
    evaluation_steps,
    fewest_steps,
    usual_steps,
)


def _error(mean: float, signal: float = 10.0, noise: float = 0.0) -> HeldOutError:
    """Return an error that differs from evaluation to evaluation by some noise."""
    random = np.random.default_rng(int(1e6 * abs(np.nan_to_num(mean))))
    values = random.normal(0, 1, 10**4)
    return HeldOutError(mean + noise * (values - values.mean()), signal)


def _ended(
    error: Callable[[int], float],
    limit: int = 1600,
    patience: float = 1.0,
    signal: float = 1.0,
) -> int:
    """Return the step at which a training with these errors ends."""
    curve = ErrorCurve(limit, patience)
    for step in evaluation_steps(limit):
        curve.add(step, _error(error(step), signal))
        if curve.is_flat:
            return step
    return limit


def test_evaluations_come_at_steps_of_the_square_root_of_two() -> None:
    assert evaluation_steps(150) == [25, 35, 50, 71, 100, 141]
    assert evaluation_steps(10) == []
    assert fewest_steps(400) == 100
    assert fewest_steps(60) == 60


def test_the_expected_end_is_near_the_limit() -> None:
    # Evaluations from 66 % on: after 200 and 283 steps, then the end.
    assert usual_steps(300) == 280
    assert usual_steps(10) == 10
    for limit in range(1, 1500, 7):
        assert 0.75 * limit <= usual_steps(limit) <= limit


def test_a_falling_error_takes_all_steps() -> None:
    assert _ended(lambda step: 5 / math.sqrt(step)) == 1600


def test_a_flat_error_ends_the_training() -> None:
    assert _ended(lambda step: 0.1 + 2 * math.exp(-step / 30)) == 1131
    assert _ended(lambda step: 0.1 + 2 * math.exp(-step / 8), limit=300) == 200


def test_more_patience_trains_for_longer() -> None:
    def error(step: int) -> float:
        return 0.1 + 10 / step

    few, many = (_ended(error, limit=300, patience=p) for p in (0.1, 10.0))
    assert (few, many) == (200, 300)


def test_a_rest_early_in_the_training_does_not_end_it() -> None:
    def error(step: int) -> float:
        return 0.2 if step <= 150 else 0.2 * (150 / step) ** 0.5

    assert _ended(error, limit=400) == 400


def test_a_rising_error_ends_the_training_after_two_thirds() -> None:
    """It may come from variance alone, which the filters after it remove."""
    assert _ended(lambda step: 0.1 + step / 1e3) == 1131


def test_an_easy_image_ends_early() -> None:
    """Its error is a thousandth of the signal's variance, and still falls."""
    assert _ended(lambda step: 0.02 * step**-0.15, signal=100.0) == 100
    assert _ended(lambda step: 0.02 * step**-0.15, signal=1.0) > 100


def test_an_easy_image_ends_at_half_of_the_steps_though_it_still_gains() -> None:
    def halved(step: int) -> float:
        return 1.0 / step

    assert _ended(halved, limit=200, signal=20.0) == 100
    assert _ended(halved, limit=600, signal=20.0) == 283
    assert _ended(halved, limit=200, signal=1.0) == 200


def test_a_diverged_training_ends() -> None:
    assert _ended(lambda step: 5 / step if step < 300 else math.nan) == 400


def test_the_expected_end_comes_nearer_as_the_curve_flattens() -> None:
    curve, ends = ErrorCurve(900), []
    for step in evaluation_steps(900):
        curve.add(step, _error(0.1 + 3 / step))
        ends.append(curve.expected_steps)
        assert curve.expected_steps >= step
        if curve.is_flat:
            break
    assert ends[0] == 900
    assert ends[-1] < 900


def test_the_limit_is_doubled_while_the_error_falls_steeply() -> None:
    def limits(error: Callable[[int], float], noise: float = 0.0) -> list[int]:
        curve = ErrorCurve(200)
        for step in evaluation_steps(curve.longest):
            random = np.random.default_rng(step)
            values = error(step) + random.normal(0, noise, 1000)
            curve.add(step, HeldOutError(values, 1.0))
        return [curve.limit, curve.longest]

    assert limits(lambda step: 10 / step) == [800, 800]
    assert limits(lambda step: max(10 / step, 0.045)) == [400, 800]
    assert limits(lambda step: step**-0.2) == [200, 800]
    # Nothing is known of a gain that is as uncertain as this one.
    assert limits(lambda step: 10 / step, noise=3.0) == [200, 800]


def test_an_uncertain_gain_does_not_end_the_training() -> None:
    """The same flat errors, known well and badly."""
    for noise, ends in ((0.0, True), (2.0, False)):
        curve = ErrorCurve(800)
        for number, step in enumerate(evaluation_steps(800)):
            curve.add(step, _error(0.1 + number * 1e-6, noise=noise))
        assert curve.is_flat is ends
