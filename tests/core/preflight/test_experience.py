"""Estimates that the runs so far correct."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_inr_denoise.core.preflight.estimate import Preflight
from napari_inr_denoise.core.preflight.experience import Experience
from napari_inr_denoise.image.tiling import Tiling

TOLD = Preflight(
    seconds=20.0,
    range_s=(10.0, 30.0),
    at_most=False,
    memory_gb=1.0,
    device="CPU",
    planes=1,
    together=False,
    shape_yx=(64, 64),
    tiling=Tiling.of((64, 64), 10**6),
    finishing_s=2.0,
    steps=(100.0, 300.0),
)


def test_nothing_is_corrected_before_the_first_run() -> None:
    assert Experience().corrected(TOLD) is TOLD


def test_what_is_told_comes_to_what_runs_take() -> None:
    experience, off = Experience(), []
    for _ in range(5):
        told = experience.corrected(TOLD)
        off.append(abs(told.seconds / 45.0 - 1))
        # All steps, for which 30 s were told.
        experience.note(TOLD, 45.0, [300])
    assert off == sorted(off, reverse=True)
    assert off[0] > 0.5
    assert off[-1] < 0.2


def test_pace_and_end_are_told_apart() -> None:
    experience = Experience()
    experience.note(TOLD, 10.0, [100])  # as fast as told, and at the earliest end
    told = experience.corrected(TOLD)
    assert told.range_s == TOLD.range_s
    assert told.seconds == 15.0
    assert told.finishing_s == TOLD.finishing_s
    slow = Experience()
    slow.note(TOLD, 80.0, [200])  # at the expected end
    told = slow.corrected(TOLD)
    assert told.seconds == pytest.approx(2 * TOLD.seconds)
    assert told.range_s == pytest.approx((20.0, 60.0))
    assert told.finishing_s == pytest.approx(4.0)


def test_old_runs_are_forgotten() -> None:
    experience = Experience()
    for _ in range(10):
        experience.note(TOLD, 80.0, [200])
    for _ in range(4):
        experience.note(TOLD, 20.0, [200])
    assert experience.corrected(TOLD) == TOLD


def test_a_pause_of_the_computer_counts_as_little_as_a_slow_run() -> None:
    experience = Experience()
    experience.note(TOLD, 10**6, [200])
    assert experience.corrected(TOLD).seconds == pytest.approx(2 * TOLD.seconds)


@pytest.mark.parametrize(
    "other",
    [{"device": "GPU"}, {"together": True}, {"at_most": True}, {"seconds": 10.0}],
)
def test_only_runs_of_the_same_kind_count(other: dict[str, object]) -> None:
    experience = Experience()
    told = replace(TOLD, **other)
    experience.note(told, 80.0, [200])
    assert experience.corrected(TOLD) is TOLD


def test_runs_without_a_fit_or_with_an_upper_limit_say_nothing() -> None:
    experience = Experience()
    limit = replace(TOLD, at_most=True)
    experience.note(TOLD, 0.1, [0, 0])
    experience.note(replace(TOLD, seconds=0.0, range_s=(0.0, 0.0)), 1.0, [200])
    experience.note(limit, 5.0, [200])
    assert experience.corrected(TOLD) is TOLD
    assert experience.corrected(limit) is limit


def test_planes_without_a_fit_do_not_shift_the_end() -> None:
    experience = Experience()
    experience.note(TOLD, 20.0, [200, 0, 200])
    assert experience.corrected(TOLD) == TOLD
