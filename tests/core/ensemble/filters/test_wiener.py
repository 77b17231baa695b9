"""The Wiener filter that a result steers: texture comes back, the rest stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.ensemble.filters.wiener import wiener_averaged
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

SIGMA = 10.0


def _problem(noisy: NDArray[np.floating]) -> NoisyPlane:
    whole = np.ones(noisy.shape[:2], bool)
    return NoisyPlane(noisy, whole, whole, NoiseModel(SIGMA, False, SIGMA))


def _example(
    rng: np.random.Generator, shape: tuple[int, ...] = (64, 64, 1)
) -> tuple[NoisyPlane, NDArray[np.float32]]:
    """Return a plane, and a result that has some of its structure."""
    truth = 100 + 300 * gaussian_filter(rng.normal(size=shape), (3, 3, 0))
    noisy = truth + rng.normal(0, SIGMA, shape)
    return _problem(noisy), gaussian_filter(noisy, (1.5, 1.5, 0)).astype(np.float32)


def _error(image: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean((image - truth) ** 2)))


def test_a_faded_texture_comes_back(rng: np.random.Generator) -> None:
    y, x = np.mgrid[:96, :96]
    wave = 20 * np.sin(1.1 * x + 0.7 * y)[..., None]
    noisy = 100 + wave + rng.normal(0, SIGMA, wave.shape)
    result = (100 + 0.7 * wave).astype(np.float32)
    found = wiener_averaged(_problem(noisy), result)
    assert _error(found, 100 + wave) < 0.75 * _error(result, 100 + wave)


def test_what_is_smooth_stays_smooth(rng: np.random.Generator) -> None:
    noisy = 100 + rng.normal(0, SIGMA, (96, 96, 1))
    result = np.full_like(noisy, 100.0, dtype=np.float32)
    assert _error(wiener_averaged(_problem(noisy), result), result) < 0.03 * SIGMA


def test_an_error_of_the_result_loses_weight(rng: np.random.Generator) -> None:
    truth = np.full((96, 96, 1), 100.0)
    error = rng.normal(0, 0.3 * SIGMA, truth.shape)
    result = (truth + error).astype(np.float32)
    found = wiener_averaged(_problem(truth + rng.normal(0, SIGMA, truth.shape)), result)
    assert _error(found, truth) < 0.7 * _error(result, truth)


def test_correlated_noise_and_none_change_nothing(rng: np.random.Generator) -> None:
    problem, result = _example(rng)
    for noise in (
        replace(problem.noise, correlated=True),
        replace(problem.noise, sigma=0.0),
    ):
        assert wiener_averaged(replace(problem, noise=noise), result) is result


@pytest.mark.parametrize("shape", [(64, 48, 1), (37, 53, 3), (5, 70, 1), (1, 1, 2)])
def test_any_size_and_each_sample_by_itself(
    shape: tuple[int, ...], rng: np.random.Generator
) -> None:
    problem, result = _example(rng, shape)
    found = wiener_averaged(problem, result)
    assert found.shape == shape
    assert found.dtype == np.float32
    for k in range(shape[2]):
        alone = _problem(problem.plane_yxs[..., k : k + 1])
        # Matrices of other sizes may be multiplied in another order.
        np.testing.assert_allclose(
            found[..., k : k + 1],
            wiener_averaged(alone, result[..., k : k + 1]),
            rtol=1e-4,
        )


@pytest.mark.parametrize(("factor", "offset"), [(1e-6, 0.0), (1e6, 0.0), (1.0, 1e6)])
def test_it_follows_the_unit(
    factor: float, offset: float, rng: np.random.Generator
) -> None:
    problem, result = _example(rng)
    other = replace(
        problem,
        plane_yxs=factor * problem.plane_yxs + offset,
        noise=NoiseModel(factor * SIGMA, False, factor * SIGMA),
    )
    moved = (factor * result.astype(np.float64) + offset).astype(np.float32)
    found = (wiener_averaged(other, moved).astype(np.float64) - offset) / factor
    # Of a value near 1e6 float32 holds a sixteenth.
    np.testing.assert_allclose(found, wiener_averaged(problem, result), atol=0.15)


@pytest.mark.parametrize("transform", [np.flipud, np.fliplr, np.rot90])
def test_it_follows_flips_and_rotations(
    transform: object, rng: np.random.Generator
) -> None:
    problem, result = _example(rng)
    moved = replace(problem, plane_yxs=transform(problem.plane_yxs))  # type: ignore[operator]
    found = wiener_averaged(moved, np.ascontiguousarray(transform(result)))  # type: ignore[operator]
    wanted = transform(wiener_averaged(problem, result))  # type: ignore[operator]
    np.testing.assert_allclose(found, wanted, atol=0.3)


def test_pixels_that_do_not_count_are_not_seen(rng: np.random.Generator) -> None:
    problem, result = _example(rng)
    fitted = problem.fitted_yx.copy()
    fitted[30, 30] = False
    hot = problem.plane_yxs.copy()
    hot[30, 30] = 1e9
    found = wiener_averaged(replace(problem, fitted_yx=fitted, plane_yxs=hot), result)
    assert np.abs(found - wiener_averaged(problem, result)).max() < SIGMA


def test_extreme_values_stay_finite() -> None:
    problem = _problem(np.full((16, 16, 1), 1e30))
    result = np.full((16, 16, 1), 1e30, dtype=np.float32)
    result[8, 8] = -1e30
    assert np.isfinite(wiener_averaged(problem, result)).all()
