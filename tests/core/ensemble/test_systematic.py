"""Tests of errors that a noise model does not know."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.quality import (
    estimated_error,
    judge,
    random_error,
    uncertainty,
)
from napari_inr_denoise.core.ensemble.systematic import (
    cut_off_bias,
    systematic_square,
)
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.warning import PlaneWarning

SIDE = 128
READ = 4.0
Array = NDArray[np.float64]


def _slope(lowest: float, highest: float) -> Array:
    return np.tile(np.linspace(lowest, highest, SIDE), (SIDE, 1))


def _problem(noisy: Array) -> NoisyPlane:
    return measure_plane(noisy[..., None], np.ones(noisy.shape, bool))


def _cut_off(rng: np.random.Generator) -> tuple[NoisyPlane, Array, Array]:
    """Return a plane that is cut off at zero, its mean without noise, and the truth."""
    truth = _slope(-12.0, 12.0)
    noisy = np.maximum(np.round(truth + rng.normal(0, READ, truth.shape)), 0.0)
    many = truth[0] + rng.normal(0, READ, (20_000, SIDE))
    mean = np.tile(np.maximum(np.round(many), 0).mean(axis=0), (SIDE, 1))
    return _problem(noisy), mean[..., None], np.maximum(truth, 0)[..., None]


def test_values_that_were_cut_off_make_dim_areas_too_bright(
    rng: np.random.Generator,
) -> None:
    problem, mean, truth = _cut_off(rng)
    bias = cut_off_bias(problem, mean)
    np.testing.assert_allclose(bias, mean - truth, atol=0.12 * READ)
    assert (
        PlaneWarning.CUT_OFF in judge(problem, mean.astype(np.float32), None).warnings
    )


def test_the_error_that_is_told_has_the_bias(rng: np.random.Generator) -> None:
    problem, mean, truth = _cut_off(rng)
    result, share = mean.astype(np.float32), np.zeros(mean.shape, np.float32)
    told = uncertainty(problem, result, share)
    assert np.mean(np.abs(result - truth) <= 1.2 * told) > 0.85
    unknown = random_error(problem, result, share)
    assert np.mean(np.abs(result - truth) <= 1.2 * unknown) < 0.5
    held_out = rng.random((SIDE, SIDE)) < 0.2
    expected = np.sqrt(np.mean((result - truth) ** 2))
    error = estimated_error(problem, result, share, held_out)
    assert error > 0.9 * expected


@pytest.mark.parametrize("photon", [1.0, 3.0])
def test_photon_counts_are_not_cut_off(photon: float, rng: np.random.Generator) -> None:
    mean = _slope(0.02, 1.0)
    problem = _problem(photon * rng.poisson(mean))
    assert problem.noise.clipped_low > 0.01
    assert not cut_off_bias(problem, photon * mean[..., None]).any()


def test_a_good_plane_has_none(rng: np.random.Generator) -> None:
    truth = _slope(20.0, 60.0)
    problem = _problem(truth + rng.normal(0, READ, truth.shape))
    assert not systematic_square(problem, truth[..., None]).any()


def test_what_is_left_of_the_offsets_of_rows_is_told(rng: np.random.Generator) -> None:
    truth, rows = _slope(20.0, 60.0), rng.normal(0, 6.0, (SIDE, 1))
    problem = _problem(truth + rows + rng.normal(0, READ, truth.shape))
    assert problem.structured_yxs is not None
    left = rows - problem.structured_yxs[..., 0]
    told = np.sqrt(systematic_square(problem, truth[..., None]))
    assert told.mean() == pytest.approx(left.std(), rel=0.4)


def test_a_single_hot_column_leaves_nothing(rng: np.random.Generator) -> None:
    truth = _slope(20.0, 60.0)
    noisy = truth + rng.normal(0, READ, truth.shape)
    noisy[:, 40] += 300
    problem = _problem(noisy)
    assert problem.structured_yxs is not None
    assert not systematic_square(problem, truth[..., None]).any()


def test_offsets_of_pixels_are_added(rng: np.random.Generator) -> None:
    truth = _slope(20.0, 60.0)
    problem = _problem(truth + rng.normal(0, READ, truth.shape))
    problem = replace(problem, pixel_offsets=(2.0,))
    np.testing.assert_allclose(systematic_square(problem, truth[..., None]), 4.0)
