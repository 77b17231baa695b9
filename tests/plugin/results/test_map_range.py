"""The range in which a map of a result is shown, without a window."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise.plugin.results.views import _LOOKED_AT, map_layer


def _range(values: NDArray[np.float32]) -> tuple[float, float]:
    source = SimpleNamespace(keywords={"name": "cells [denoised]"})
    result = SimpleNamespace(maps={"uncertainty": values})
    finished: Any = SimpleNamespace(source=source, result=result, strength=0.0)
    _, keywords = map_layer(finished, "uncertainty", signed=False)
    low, high = keywords["contrast_limits"]
    return low, high


def test_a_large_map_has_about_the_range_of_all_its_values() -> None:
    rng = np.random.default_rng(1)
    values = rng.gamma(2, 1, (5, 640, 640)).astype(np.float32)
    assert values.size > 3 * _LOOKED_AT
    low, high = _range(values)
    assert low == 0
    assert high == pytest.approx(np.percentile(values, 99.8), rel=0.03)


def test_a_few_known_values_of_a_large_map_are_found() -> None:
    values = np.full((2, 1024, 1024), np.nan, np.float32)
    values[0, 0, :2] = 7
    assert _range(values) == (0, 7)


def test_a_map_without_known_values_has_a_range() -> None:
    assert _range(np.full((4, 4), np.nan, np.float32)) == (0, 1)
