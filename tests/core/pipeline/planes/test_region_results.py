"""Regions of a plane that differ in noise are told as one result."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.pipeline.planes.region_results import joined_regions
from napari_inr_denoise.core.report.stop_reason import StopReason

LEFT = np.array([[True, False]])


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (StopReason.TRAINED, StopReason.NO_NOISE, StopReason.TRAINED),
        (StopReason.NO_NOISE, StopReason.TRAINED, StopReason.TRAINED),
        (StopReason.TRAINED, StopReason.CALLER, StopReason.CALLER),
        (StopReason.NO_NOISE, StopReason.NO_NOISE, StopReason.NO_NOISE),
    ],
)
def test_a_region_without_noise_does_not_speak_for_all(
    first: StopReason, second: StopReason, told: StopReason
) -> None:
    plane_yxs = np.zeros((1, 2, 1), np.float32)
    regions = [SimpleNamespace(mask_yx=mask) for mask in (LEFT, ~LEFT)]
    problem: Any = SimpleNamespace(
        measured_yxs=plane_yxs,
        regions=regions,
        fitted_yx=np.ones((1, 2), bool),
        residual_rms=lambda _: 0.0,
    )
    parts = [SimpleNamespace(fitted_yx=mask) for mask in (LEFT, ~LEFT)]
    done = [
        FitResult(plane_yxs, 0.0, 9 * (one is StopReason.TRAINED), one)
        for one in (first, second)
    ]
    joined = joined_regions(problem, cast("Any", parts), done)
    assert joined.reason is told
