"""A result smoothed by its own error, as far as the held-out pixels ask for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.filters.smoothing import (
    smoothed,
    with_contrast_of,
)
from napari_inr_denoise.core.ensemble.weighting import hold_out
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

SIDE = 160
SIGMA = 10.0
GAIN = 0.2
"""Of the noise's variance, left in the result as an error."""
WHOLE = np.ones((SIDE, SIDE), bool)


def _problem(truth: NDArray[np.float64], rng: np.random.Generator) -> NoisyPlane:
    noisy = truth + rng.normal(0, SIGMA, truth.shape)
    return NoisyPlane(noisy, WHOLE, WHOLE, NoiseModel(SIGMA, False, SIGMA))


def _edges() -> NDArray[np.float64]:
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.where((x // 40 + y // 40) % 2, 200.0, 100.0)[..., None]


def _grain(rng: np.random.Generator) -> NDArray[np.float64]:
    """Real contrast of one pixel, as small as the error."""
    return 100 + rng.normal(0, np.sqrt(GAIN) * SIGMA, (SIDE, SIDE, 1))


def _error(image: NDArray[np.floating], truth: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean((image - truth) ** 2)))


def test_a_faint_error_is_smoothed_and_edges_stay(rng: np.random.Generator) -> None:
    truth = _edges()
    problem = _problem(truth, rng)
    own = rng.normal(0, np.sqrt(GAIN) * SIGMA, truth.shape)
    plane, share = (truth + own).astype(np.float32), np.full(truth.shape, GAIN)
    found = smoothed(problem, plane, share.astype(np.float32), hold_out(WHOLE, 0))
    assert _error(found, truth) < 0.85 * _error(plane, truth)
    step = found[:, 40] - found[:, 39]
    assert np.abs(step).mean() > 85


def test_real_grain_is_not_the_worse_for_it(rng: np.random.Generator) -> None:
    truth = _grain(rng)
    problem = _problem(truth, rng)
    # All of the grain, and of the noise what the gain says.
    plane = (truth + GAIN * (problem.plane_yxs - truth)).astype(np.float32)
    share = np.full(truth.shape, GAIN, dtype=np.float32)
    found = smoothed(problem, plane, share, WHOLE)
    assert _error(found, truth) < 1.01 * _error(plane, truth)


def test_correlated_noise_and_too_few_pixels_change_nothing(
    rng: np.random.Generator,
) -> None:
    truth = _edges()
    problem = _problem(truth, rng)
    plane, share = problem.plane_yxs.astype(np.float32), np.full(truth.shape, GAIN)
    share = share.astype(np.float32)
    correlated = replace(problem, noise=replace(problem.noise, correlated=True))
    assert smoothed(correlated, plane, share, WHOLE) is plane
    few = np.zeros_like(WHOLE)
    few[:2, :2] = True
    assert np.array_equal(smoothed(problem, plane, share, few), plane)


def test_contrast_that_was_flattened_comes_back(rng: np.random.Generator) -> None:
    truth = _grain(rng)
    whole = np.ones(truth.shape[:2], bool)
    noisy = (truth + rng.normal(0, 0.1 * truth.std(), truth.shape)).astype(np.float32)
    flat = truth.mean() + 0.5 * (truth - truth.mean())
    restored = with_contrast_of(noisy, flat.astype(np.float32), whole)
    assert _error(restored, truth) < 0.5 * _error(flat, truth)
    constant = np.full_like(noisy, 3.0)
    assert np.array_equal(with_contrast_of(noisy, constant, whole), constant)
