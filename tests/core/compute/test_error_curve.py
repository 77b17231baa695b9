"""When a training ends, by its error on held-out pixels."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from napari_inr_denoise.core.compute.error_curve import (
    ErrorCurve,
    HeldOutError,
    evaluation_steps,
    fewest_steps,
)


def _ended(
    error: Callable[[int], float], limit: int = 1600, patience: float = 1.0
) -> int:
    """Return the step at which a training with these errors ends."""
    curve = ErrorCurve(limit, patience)
    for step in evaluation_steps(limit):
        curve.add(step, HeldOutError(error(step), 10**5))
        if curve.is_flat:
            return step
    return limit


def test_evaluations_come_at_steps_of_the_square_root_of_two() -> None:
    assert evaluation_steps(150) == [25, 35, 50, 71, 100, 141]
    assert evaluation_steps(10) == []
    assert fewest_steps(400) == 100
    assert fewest_steps(60) == 60


def test_a_falling_error_takes_all_steps() -> None:
    assert _ended(lambda step: 5 / math.sqrt(step)) == 1600


def test_a_flat_error_ends_the_training() -> None:
    assert _ended(lambda step: 0.1 + 2 * math.exp(-step / 30)) < 800


def test_more_patience_trains_for_longer() -> None:
    def error(step: int) -> float:
        return 0.1 + 1 / step

    few, usual, many = (_ended(error, patience=p) for p in (0.3, 1.0, 10.0))
    assert few < usual < many


def test_a_rest_early_in_the_training_does_not_end_it() -> None:
    def error(step: int) -> float:
        return 0.2 if step <= 150 else 0.2 * (150 / step) ** 0.5

    assert _ended(error, limit=400) == 400


def test_a_rising_error_ends_the_training_early() -> None:
    assert _ended(lambda step: 0.1 + step / 1e4) == 100


def test_an_easy_image_ends_early() -> None:
    """Its error is a hundredth of the noise variance, and still falls by a tenth."""
    assert _ended(lambda step: 0.02 * step**-0.15) == 100


def test_a_diverged_training_ends() -> None:
    assert _ended(lambda step: math.nan if step > 300 else 5 / step) == 400


def test_the_expected_end_comes_nearer_as_the_curve_flattens() -> None:
    curve, ends = ErrorCurve(6400), []
    for step in evaluation_steps(6400):
        curve.add(step, HeldOutError(0.1 + 3 / step, 10**5))
        ends.append(curve.expected_steps)
        assert curve.expected_steps >= step
        if curve.is_flat:
            break
    assert ends[0] == 6400
    assert ends[-1] == pytest.approx(ends[-3], rel=0.5)
    assert ends[-1] < 1000
