"""Records of tiles become the record of their plane."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.ensemble.quality import Quality
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.planes.plane_report import (
    TileRecord,
    join_records,
    record_tile,
)
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.verdict import Verdict


def _record(
    values: np.ndarray,
    weights: float = 1.0,
    verdict: Verdict | None = Verdict.NOISE_ONLY,
    reason: StopReason = StopReason.TRAINED,
) -> TileRecord:
    valid = np.isfinite(values)
    plane = np.nan_to_num(values)[..., None]
    problem = NoisyPlane(plane, valid, valid, NoiseModel(3.0, False, 3.0))
    quality = None if verdict is None else Quality(2.0, 0.0, verdict, ((1.0, 0.5),))
    result = FitResult(plane + 1, 4.0, 7, reason, (("one", 1.0),), quality)
    share = np.full(values.shape, weights, np.float32)
    return record_tile({"Z": 3}, problem, result, share)


def test_a_plane_of_one_tile_is_recorded_as_it_is() -> None:
    values = np.array([[1.0, 2.0], [3.0, math.nan]])
    record = _record(values)
    assert record.pixels == 3
    assert join_records([record]) is record.report
    assert record.report.mean_before == pytest.approx(2.0)
    assert record.report.sum_after == pytest.approx(9.0)
    assert record.report.gain is None
    assert record.report.verdict == "noise_only"


def test_sums_add_up_and_shared_pixels_count_once() -> None:
    halves = [_record(np.full((2, 4), 5.0), weights=0.5) for _ in range(2)]
    joined = join_records(halves)
    assert joined.sum_before == pytest.approx(40.0)
    assert joined.mean_before == pytest.approx(5.0)
    assert joined.mean_after == pytest.approx(6.0)
    assert joined.index == {"Z": 3}


def _with_sigma(record: TileRecord, sigma: float | None) -> TileRecord:
    noise = replace(record.report.noise, sigma=sigma)
    return replace(record, report=replace(record.report, noise=noise))


def test_levels_are_root_mean_squares_by_pixels() -> None:
    small, large = _record(np.ones((1, 1))), _record(np.ones((1, 3)))
    loud = _with_sigma(small, 9.0)
    joined = join_records([loud, large])
    assert joined.sigma == pytest.approx(math.sqrt((81 + 3 * 9) / 4))
    unknown = _with_sigma(small, None)
    assert join_records([unknown, large]).sigma == pytest.approx(3.0)
    assert join_records([unknown, unknown]).sigma is None


def test_the_worst_verdict_and_the_commonest_reason_stand_for_all() -> None:
    joined = join_records(
        [
            _record(np.ones((2, 2))),
            _record(np.ones((1, 1)), verdict=Verdict.STRUCTURE),
            _record(np.ones((1, 2)), reason=StopReason.NO_NOISE),
        ]
    )
    assert joined.verdict == "structure_removed"
    assert joined.reason == "trained"
    assert joined.candidates == {"one": 1.0}


def test_a_plane_without_values_has_no_means() -> None:
    nothing = _record(np.full((2, 2), math.nan), verdict=None)
    joined = join_records([nothing, nothing])
    assert joined.mean_before is None
    assert joined.sum_after is None


@pytest.mark.parametrize(
    ("shares", "told"), [((0.0, 1.0), True), ((0.0, 0.0), False), ((1.0, 1.0), False)]
)
def test_tiles_that_are_all_fill_are_told(
    shares: tuple[float, float], told: bool
) -> None:
    """A plane of one value is no fill."""
    records = [_record(np.full((2, 4), 5.0)) for _ in shares]
    tiles = [
        replace(one, report=replace(one.report, fill_share=share))
        for one, share in zip(records, shares, strict=True)
    ]
    assert ("fill_ignored" in join_records(tiles).warnings) == told


def _reached(step: int | None, steps: int = 200) -> TileRecord:
    record = _record(np.full((2, 4), 5.0))
    report = replace(record.report, steps=steps, noise_level_step=step)
    return replace(record, report=report)


def test_the_residual_is_down_to_the_noise_when_it_is_in_all_tiles() -> None:
    joined = join_records([_reached(25), _reached(50)])
    assert (joined.noise_level_step, joined.stop_rules) == (50, "published_earlier")
    joined = join_records([_reached(25), _reached(None)])
    assert (joined.noise_level_step, joined.stop_rules) == (None, "published_later")
    joined = join_records([_reached(200), _reached(None, steps=0)])
    assert (joined.noise_level_step, joined.stop_rules) == (200, "agree")
