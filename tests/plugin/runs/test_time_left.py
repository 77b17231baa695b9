"""The time left of a run, by a clock of its own."""

from __future__ import annotations

import pytest

from napari_inr_denoise.plugin.runs.time_left import Expected, TimeLeft


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


def test_the_pace_is_measured(clock: _Clock) -> None:
    left = TimeLeft(None, clock)
    assert left.seconds is None
    clock.now += 10
    left.follow(0.25)
    assert left.seconds == pytest.approx(30)
    clock.now += 1
    assert left.seconds == pytest.approx(29)
    assert left.elapsed == pytest.approx(11)


def test_prediction_and_filters_come_after_the_training(clock: _Clock) -> None:
    left = TimeLeft(Expected(18.0, finishing=8.0), clock)
    assert left.seconds == pytest.approx(18)
    clock.now += 5
    left.follow(0.5)
    assert left.seconds == pytest.approx(5 + 8)
    clock.now += 4
    left.follow(0.9)
    assert left.seconds == pytest.approx(1 + 8)
    clock.now += 8  # the training ended early: the network predicts
    assert left.seconds == pytest.approx(1)
    left.follow(1.0)
    assert left.seconds == pytest.approx(1)
    clock.now += 5
    assert left.seconds == 0


def test_what_slows_the_training_slows_the_filters(clock: _Clock) -> None:
    left = TimeLeft(Expected(18.0, finishing=8.0), clock)
    clock.now += 10
    left.follow(0.5)
    assert left.seconds == pytest.approx(10 + 16)


def test_the_pace_is_that_of_the_training_alone(clock: _Clock) -> None:
    left = TimeLeft(Expected(20.0), clock)
    clock.now += 4
    left.follow(0.0)  # the noise is measured
    clock.now += 4
    left.follow(0.25)
    assert left.seconds == pytest.approx(12)
