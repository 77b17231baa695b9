"""The mean with the planes beside: errors average out, and what differs stays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.ensemble.filters.plane_mean import averaged_with
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

SIGMA = 10.0
WIDTH = 1.5
DIVERGENCE = 1 / (2 * np.pi * WIDTH**2)
"""Weight of a pixel in its own Gaussian blur."""
NARROW = 0.7
"""Width of the blur of correlated noise."""
OF_CORRELATED = 1 / (2 * np.pi * (WIDTH**2 + 2 * NARROW**2)) * 4 * np.pi * NARROW**2
"""Covariance of the result with the noise of a pixel, in noise variances."""


def _blurred(
    truth: NDArray[np.float64], rng: np.random.Generator, *, correlated: bool = False
) -> tuple[NoisyPlane, NDArray[np.float32]]:
    """Return a noisy plane of a truth (Y, X), and its blur as the result."""
    noise = rng.normal(0, SIGMA, truth.shape)
    if correlated:
        noise = gaussian_filter(noise, NARROW, mode="wrap")
        noise *= SIGMA / noise.std()
    noisy = (truth + noise)[..., None]
    whole = np.ones(truth.shape, bool)
    problem = NoisyPlane(noisy, whole, whole, NoiseModel(SIGMA, correlated, SIGMA))
    return problem, gaussian_filter(noisy, (WIDTH, WIDTH, 0)).astype(np.float32)


def _mean(
    truths: NDArray[np.float64], rng: np.random.Generator, *, correlated: bool = False
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the second of three planes before and after."""
    planes = [_blurred(truth, rng, correlated=correlated) for truth in truths]
    problem, result = planes[1]
    share = OF_CORRELATED if correlated else DIVERGENCE
    divergence = np.full_like(result, share)
    found = averaged_with(problem, result, divergence, [planes[0], planes[2]])
    return result[..., 0], found[..., 0]


def _error(image: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean((image - truth) ** 2)))


def _smooth(rng: np.random.Generator) -> NDArray[np.float64]:
    return 100 + 300 * gaussian_filter(rng.normal(size=(64, 64)), 6)


def test_the_errors_of_equal_planes_average_out(rng: np.random.Generator) -> None:
    truth = _smooth(rng)
    before, after = _mean(np.stack([truth] * 3), rng)
    assert _error(after, truth) < 0.8 * _error(before, truth)


def test_planes_that_differ_stay_as_they_are(rng: np.random.Generator) -> None:
    truths = np.stack([_smooth(rng) for _ in range(3)])
    before, after = _mean(truths, rng)
    assert _error(after, before) < 0.1 * _error(before, truths[1])


def test_a_spot_of_one_plane_stays_in_it(rng: np.random.Generator) -> None:
    truths = np.stack([_smooth(rng)] * 3)
    truths[1, 30:35, 30:35] += 20 * SIGMA
    before, after = _mean(truths, rng)
    spot = np.s_[31:34, 31:34]
    # At most its own error, 10 * sqrt(0.071), of a spot of 200.
    assert np.abs(after[spot] - before[spot]).max() < 0.27 * SIGMA


def test_a_spot_beside_does_not_come_in(rng: np.random.Generator) -> None:
    truths = np.stack([_smooth(rng)] * 3)
    with_spot = truths.copy()
    spot = np.s_[30:35, 30:35]
    with_spot[0][spot] += 4 * SIGMA
    seed = int(rng.integers(1 << 30))
    (_, without), (_, found) = (
        _mean(planes, np.random.default_rng(seed)) for planes in (truths, with_spot)
    )
    assert (found - without)[spot].mean() < 0.05 * SIGMA


def test_brightness_stays(rng: np.random.Generator) -> None:
    truth = _smooth(rng)
    before, after = _mean(np.stack([truth - 5, truth, truth - 5]), rng)
    assert abs(after.mean() - before.mean()) < 1e-3


def test_errors_of_correlated_noise_average_out_as_well(
    rng: np.random.Generator,
) -> None:
    truth = _smooth(rng)
    before, after = _mean(np.stack([truth] * 3), rng, correlated=True)
    assert _error(after, truth) < 0.85 * _error(before, truth)
    truths = np.stack([_smooth(rng) for _ in range(3)])
    before, after = _mean(truths, rng, correlated=True)
    assert _error(after, before) < 0.1 * _error(before, truths[1])
