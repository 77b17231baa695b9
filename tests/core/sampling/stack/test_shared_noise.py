from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise.core.sampling.stack.shared_noise import SharedNoise
from napari_inr_denoise.samples import field_of_cells

Plane = tuple[NDArray[np.float64], NDArray[np.bool_]]


def _plane(seed: int, gain: float = 2.0, brightness: float = 1.0) -> Plane:
    """Return cells under photon noise, and their valid pixels."""
    clean = brightness * field_of_cells(side=96, seed=seed).truth
    photons = np.random.default_rng(seed).poisson(clean / gain)
    noisy = gain * photons + np.random.default_rng(seed + 50).normal(0, 1, clean.shape)
    return noisy[..., None].astype(float), np.ones(clean.shape, dtype=bool)


@pytest.fixture(scope="module")
def noise() -> SharedNoise:
    return SharedNoise.of([_plane(seed) for seed in range(4)])


def test_planes_are_measured_together(noise: SharedNoise) -> None:
    assert noise.model.gain == pytest.approx(2.0, rel=0.1)


def test_a_plane_of_the_stack_has_its_noise_however_bright(noise: SharedNoise) -> None:
    for brightness in (1.0, 1.5, 2.0):
        values, valid = _plane(9, brightness=brightness)
        clean = brightness * field_of_cells(side=96, seed=9).truth
        assert noise.fits([(values, valid)])
        model = noise.on(values, valid)
        assert model.gain == noise.model.gain
        expected = np.sqrt(2.0 * clean.mean() + 1)
        assert model.sigma == pytest.approx(expected, rel=0.07)


def test_a_plane_of_another_gain_has_another_noise(noise: SharedNoise) -> None:
    assert not noise.fits([_plane(9, gain=6.0)])
    assert not noise.fits([_plane(9, gain=0.5)])


def test_a_plane_without_noise_has_another_noise(noise: SharedNoise) -> None:
    values, valid = _plane(9)
    assert not noise.fits([(np.full_like(values, 7.0), valid)])


def test_a_plane_without_valid_pixels_has_another_noise(noise: SharedNoise) -> None:
    values, valid = _plane(9)
    assert not noise.fits([(values, np.zeros_like(valid))])


def test_borders_between_planes_are_no_texture() -> None:
    """Planes that differ by a step are as well measured as planes that don't."""
    random = np.random.default_rng(0)
    valid = np.ones((64, 64), dtype=bool)
    planes = [
        (random.normal(level, 5.0, (64, 64, 1)), valid) for level in (0, 500, 100, 900)
    ]
    assert SharedNoise.of(planes).model.sigma == pytest.approx(5.0, rel=0.05)


def test_noise_that_differs_between_the_parts_of_a_plane() -> None:
    """In a part by itself, the noise of two exposures is the same everywhere."""
    short, long = _plane(1, gain=6.0), _plane(1, gain=0.5)
    alike = SharedNoise.of([short, short])
    assert alike.is_even([short, short])
    mixed = SharedNoise.of([short, long])
    assert not mixed.is_even([short, long])
