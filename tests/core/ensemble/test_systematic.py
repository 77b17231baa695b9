"""Tests of errors that a noise model does not know."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import denoise
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


@pytest.mark.parametrize("above", [7.0, 12.0])
def test_bright_places_of_such_a_plane_stay_as_bright(
    above: float, rng: np.random.Generator
) -> None:
    """Whatever is bright above the noise that was cut off has lost nothing."""
    truth = _slope(-12.0, 12.0)
    truth[40:60, 20:100] = above * READ
    noisy = np.maximum(np.round(truth + rng.normal(0, READ, truth.shape)), 0.0)
    problem, result = _problem(noisy), np.maximum(truth, 1.0)[..., None]
    bias = cut_off_bias(problem, result)
    assert bias.max() > READ / 4
    assert bias[40:60, 20:100].max() < 0.01 * READ


def test_the_error_that_is_told_has_a_part_of_it(rng: np.random.Generator) -> None:
    problem, mean, _ = _cut_off(rng)
    result, share = mean.astype(np.float32), np.zeros(mean.shape, np.float32)
    random = random_error(problem, result, share)
    bias = cut_off_bias(problem, mean)
    told = uncertainty(problem, result, share)
    np.testing.assert_allclose(told**2, random**2 + bias**2 / 4, rtol=1e-4)
    everywhere = np.ones((SIDE, SIDE), bool)
    error = estimated_error(problem, result, share, everywhere)
    assert error > np.sqrt(np.mean(bias**2)) / 2


def test_a_result_is_as_bright_as_what_was_cut_off(rng: np.random.Generator) -> None:
    problem, _, truth = _cut_off(rng)
    noisy = problem.plane_yxs[..., 0]
    result = denoise(noisy, preset="fast", seed=0)
    assert "cut_off" in result.report.files[0].planes[0].warnings
    assert noisy.sum() > 1.1 * truth.sum()
    assert result.image.sum() == pytest.approx(truth.sum(), rel=0.04)


def test_structure_that_ends_at_zero_is_not_noise_that_was_cut_off(
    rng: np.random.Generator,
) -> None:
    """As after deconvolution: the heap and the brighter pixels tell other noises."""
    structure = np.maximum(240 * gaussian_filter(rng.normal(0, 1, (SIDE, SIDE)), 2), 0)
    problem = _problem(structure)
    assert problem.noise.clipped_low > 0.1
    smooth = gaussian_filter(structure, 1.2)[..., None]
    assert not cut_off_bias(problem, smooth).any()


@pytest.mark.parametrize("photon", [1.0, 3.0])
def test_photon_counts_are_not_cut_off(photon: float, rng: np.random.Generator) -> None:
    mean = _slope(0.02, 0.4)
    problem = _problem(photon * rng.poisson(mean))
    assert problem.noise.clipped_low > 0.01
    assert not cut_off_bias(problem, photon * mean[..., None]).any()


@pytest.mark.parametrize("spread", [3.0, 5.0])
def test_photons_of_an_analogue_detector_are_not_cut_off(
    spread: float, rng: np.random.Generator
) -> None:
    """Each photon gives a pulse of another height, as in a photomultiplier."""
    mean = _slope(0.02, 3.0)
    photons = rng.poisson(mean)
    pulses = rng.gamma(np.maximum(photons, 1e-9) * spread, 30 / spread)
    problem = _problem(np.round(pulses))
    assert problem.noise.clipped_low > 0.01
    assert not cut_off_bias(problem, 30 * mean[..., None]).any()


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


def test_half_of_the_power_of_grain_is_added(rng: np.random.Generator) -> None:
    problem = _problem(_slope(20, 60) + rng.normal(0, READ, (SIDE, SIDE)))
    grainy = replace(problem, noise=replace(problem.noise, grain=2 * READ))
    result = problem.plane_yxs.astype(np.float32)
    np.testing.assert_allclose(systematic_square(problem, result), 0)
    np.testing.assert_allclose(systematic_square(grainy, result), 2 * READ**2)
    for one, told in ((problem, False), (grainy, True)):
        warnings = judge(one, result, None).warnings
        assert (PlaneWarning.GRAIN_KEPT in warnings) == told


def test_offsets_of_pixels_are_added(rng: np.random.Generator) -> None:
    truth = _slope(20.0, 60.0)
    problem = _problem(truth + rng.normal(0, READ, truth.shape))
    problem = replace(problem, pixel_offsets=(2.0,))
    np.testing.assert_allclose(systematic_square(problem, truth[..., None]), 4.0)
    problem = replace(problem, hidden_in_context=True)
    np.testing.assert_allclose(systematic_square(problem, truth[..., None]), 0.09)
