"""Tests of the growth of noise beyond what quiet patches tell."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise import denoise
from napari_inr_denoise.core.noise.level.bright_noise import with_bright_noise
from napari_inr_denoise.core.noise.level.level_function import (
    NoiseLevelFunction,
    constant_level_function,
)

SIDE = 96
BACKGROUND = 5.0
Array = NDArray[np.float64]
WHOLE = np.ones((SIDE, SIDE), bool)


def _spots(width: float, brightest: float = 200.0) -> Array:
    """Return spots of a given standard deviation, far from each other."""
    rng = np.random.default_rng(2)
    y, x = np.mgrid[:SIDE, :SIDE]
    clean = np.full((SIDE, SIDE), BACKGROUND)
    for top in range(8, SIDE - 8, 14):
        for left in range(8, SIDE - 8, 14):
            away = (y - top - rng.random()) ** 2 + (x - left - rng.random()) ** 2
            peak = brightest * rng.uniform(0.1, 1.0)
            clean += peak * np.exp(-away / (2 * width**2))
    return clean


def _photons(clean: Array, gain: float, rng: np.random.Generator) -> Array:
    return gain * rng.poisson(clean / gain) + rng.normal(0, 1.0, clean.shape)


def _dark(variance: float) -> NoiseLevelFunction:
    """Return what the background alone tells."""
    return NoiseLevelFunction(0.0, variance, (4.9, 5.0, 5.1), (variance,) * 3)


@pytest.mark.parametrize("gain", [0.5, 1.0, 3.0])
@pytest.mark.parametrize(("width", "error"), [(0.8, 0.7), (1.2, 0.35), (2.0, 0.35)])
def test_the_noise_of_spots_is_told_by_the_highest_frequencies(
    width: float, error: float, gain: float, rng: np.random.Generator
) -> None:
    noisy = _photons(_spots(width), gain, rng)
    dark = replace(_dark(gain * BACKGROUND + 1), extra_slope=9.0)
    curve = with_bright_noise(dark, noisy, WHOLE)
    assert curve.gain == pytest.approx(gain, rel=error)
    at_dark, bright = curve.variance(np.array([5.0, 105.0]))
    assert at_dark == pytest.approx(gain * BACKGROUND + 1)
    assert bright - at_dark == pytest.approx(100 * gain, rel=error)


@pytest.mark.parametrize("width", [0.8, 1.6])
def test_noise_that_does_not_grow_stays_constant(
    width: float, rng: np.random.Generator
) -> None:
    noisy = _spots(width) + rng.normal(0, 3.0, WHOLE.shape)
    assert with_bright_noise(_dark(9.0), noisy, WHOLE).gain < 0.15


def test_the_brightest_sharp_spots_make_the_noise_no_less(
    rng: np.random.Generator,
) -> None:
    """Their structure is so strong that its share is not told exactly."""
    noisy = _photons(_spots(0.6, 2000.0), 1.0, rng)
    assert 1.0 < with_bright_noise(_dark(6.0), noisy, WHOLE).gain < 6.0


def test_what_quiet_patches_tell_is_kept(rng: np.random.Generator) -> None:
    noisy = _photons(_spots(1.6), 1.0, rng)
    curve = NoiseLevelFunction(0.0, 6.0, (5.0, 60.0, 120.0), (6.0, 6.0, 6.0))
    assert with_bright_noise(curve, noisy, WHOLE) is curve
    flat = constant_level_function(1.0)
    constant = np.full(WHOLE.shape, 5.0)
    assert with_bright_noise(flat, constant, WHOLE) is flat


def test_single_pixels_on_nothing_tell_nothing() -> None:
    """Most pixels are what their neighbours say; a division by their error warns."""
    few = np.zeros((33, 48))
    few[[2, 26], [1, 28]] = 10.0
    hole = np.full((33, 48), 10.0)
    hole[2, 1] = 0.0
    valid = np.ones(few.shape, bool)
    curve = NoiseLevelFunction(0.0, 1.0, (0.0, 1.0), (1.0, 1.0))
    for plane in (few, hole):
        assert with_bright_noise(curve, plane, valid) is curve


def test_single_bright_pixels_and_invalid_ones_do_not_count(
    rng: np.random.Generator,
) -> None:
    noisy = _photons(_spots(1.6), 1.0, rng)
    noisy[tuple(rng.integers(4, SIDE - 4, (2, 8)))] += 400.0
    invalid = rng.random(WHOLE.shape) < 0.02
    noisy[invalid] = 1e5
    curve = with_bright_noise(_dark(6.0), noisy, ~invalid)
    assert curve.gain == pytest.approx(1.0, rel=0.5)


def test_photon_noise_is_removed_from_spots(rng: np.random.Generator) -> None:
    clean = _spots(1.4)
    noisy = _photons(clean, 1.0, rng)
    result = denoise(noisy, preset="fast", seed=0)
    error = np.sqrt(np.mean((result.image - clean) ** 2))
    assert error < 0.5 * np.sqrt(np.mean((noisy - clean) ** 2))
    light = (result.image - BACKGROUND).sum() / (clean - BACKGROUND).sum()
    assert light == pytest.approx(1.0, abs=0.03)
