from __future__ import annotations

import numpy as np
import pytest

from napari_inr_denoise.core.noise.level.chen import (
    _noise_of_eigenvalues,
    _positions,
    chen_sigma,
)


def test_last_positions_are_included_when_the_stride_misses_them() -> None:
    assert list(_positions(10, 8)) == [0, 2]
    assert list(_positions(11, 8)) == [0, 3]
    assert list(_positions(8, 8)) == [0]


@pytest.mark.parametrize("shape", [(32, 32, 1), (48, 48, 1), (64, 64, 3), (128, 96, 3)])
def test_small_planes_are_not_far_underestimated(shape: tuple[int, ...]) -> None:
    found = [
        chen_sigma(
            np.random.default_rng(k).normal(0, 10, shape), np.ones(shape[:2], bool)
        )
        for k in range(5)
    ]
    assert np.mean(found) == pytest.approx(10, rel=0.08)


def test_the_rule_of_chen_on_eigenvalues_drawn_by_hand() -> None:
    """Mean of the largest prefix with as many above its mean as below."""
    # All: mean 3.2, one above. {1,1,2,2}: mean 1.5, two above and two below.
    assert _noise_of_eigenvalues(np.array([1.0, 1, 2, 2, 10])) == np.sqrt(1.5)
    assert _noise_of_eigenvalues(np.array([4.0, 100])) == np.sqrt(52)
    assert _noise_of_eigenvalues(np.array([4.0])) == 2
