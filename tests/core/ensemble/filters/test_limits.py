"""What was removed beyond the noise is taken back, and nothing else.

A flat plane with noise of 5; a result that is flat everywhere, once where the plane is
flat too, and once where it lost stripes of 40.
"""

from __future__ import annotations

import numpy as np
import pytest

from napari_inr_denoise.core.ensemble.filters.limits import (
    keep_in_range,
    keep_structure,
)
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

SIDE = 128
SIGMA = 5.0


def _problem(truth: np.ndarray, sigma: float = SIGMA) -> NoisyPlane:
    noisy = truth + np.random.default_rng(0).normal(0, sigma, truth.shape)
    whole = np.ones(truth.shape, dtype=bool)
    noise = NoiseModel(SIGMA, correlated=False, sigma_neighbours=SIGMA)
    return NoisyPlane(noisy[..., None], whole, whole, noise)


def _flat(value: float = 100.0) -> np.ndarray:
    return np.full((SIDE, SIDE), value)


def _kept(problem: NoisyPlane) -> tuple[np.ndarray, np.ndarray]:
    result = _flat()[..., None].astype(np.float32)
    return keep_structure(problem, result, np.zeros_like(result))


def test_noise_stays_removed() -> None:
    plane, share = _kept(_problem(_flat()))
    np.testing.assert_array_equal(plane, 100)
    np.testing.assert_array_equal(share, 0)


def test_lost_stripes_come_back_where_they_were() -> None:
    truth = _flat()
    truth[:, : SIDE // 2 : 2] += 40
    problem = _problem(truth)
    plane, share = _kept(problem)
    lost = plane[:, : SIDE // 4, 0] - truth[:, : SIDE // 4]
    assert np.sqrt(np.mean(lost**2)) < 6  # was 28; the noise itself is 5
    assert share[:, : SIDE // 4].min() > 0.5
    np.testing.assert_array_equal(plane[:, -SIDE // 4 :], 100)


def test_an_image_without_noise_comes_back() -> None:
    truth = _flat()
    truth[::2] += 40
    whole = np.ones(truth.shape, dtype=bool)
    noise = NoiseModel(1e-6, correlated=False, sigma_neighbours=1e-6)
    problem = NoisyPlane(truth[..., None], whole, whole, noise)
    plane, _ = _kept(problem)
    assert plane[..., 0] == pytest.approx(truth, abs=1e-3)


def test_pixels_that_do_not_count_stay_filled_in() -> None:
    truth = _flat()
    problem = _problem(truth)
    problem.plane_yxs[64, 64] = 10_000
    problem.fitted_yx[64, 64] = False
    plane, _ = _kept(problem)
    assert plane[64, 64] == 100
    np.testing.assert_array_equal(plane, 100)


def test_a_result_is_cut_off_beyond_what_was_measured_and_nowhere_else() -> None:
    values = np.linspace(10, 20, 64).reshape(8, 8, 1)
    whole = np.ones((8, 8), dtype=bool)
    problem = NoisyPlane(values, whole, whole, NoiseModel(1.0, False, 1.0))
    result = np.array([6.9, 7.1, 15, 22.9, 23.1, np.nan]).reshape(1, 6, 1)
    kept = keep_in_range(problem, result).ravel()
    np.testing.assert_allclose(kept, [7, 7.1, 15, 22.9, 23, np.nan], rtol=1e-6)
