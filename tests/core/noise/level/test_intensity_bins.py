from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from napari_inr_denoise.core.noise.level.intensity_bins import by_intensity


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_groups_rise_and_hold_equally_many(
    rng: np.random.Generator, dtype: type[np.floating]
) -> None:
    values = rng.normal(1e4, 3, 1003).astype(dtype)
    groups = by_intensity(values, 8)
    assert sorted(np.concatenate(groups)) == list(range(1003))
    sizes = [len(group) for group in groups]
    # Values that are the same come into one group.
    assert max(sizes) - min(sizes) <= (1 if dtype is np.float64 else 10)
    for one, next_one in pairwise(groups):
        assert values[one].max() < values[next_one].min()
    assert all((np.diff(group) > 0).all() for group in groups)


def test_few_values_make_fewer_groups_and_none_make_none() -> None:
    assert [list(group) for group in by_intensity(np.full(5, 7.0), 8)] == [
        [0, 1, 2, 3, 4]
    ]
    few = by_intensity(np.array([3.0, 1.0, 2.0]), 8)
    assert [list(group) for group in few] == [[1], [2], [0]]
    assert by_intensity(np.zeros(0), 8) == ()
