"""Tests of the noise spectrum on scenes whose noise was filtered in known ways."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, rotate, shift, zoom

from napari_inr_denoise.core.noise.spectrum import NoiseSpectrum, measure_spectrum

Array = NDArray[np.float64]
SIDE = 96
READ_NOISE = 1.5


def cells(side: int = SIDE, seed: int = 3) -> Array:
    """Return bright, textured cells on a dark background, in photons."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    plane = np.full((side, side), 2.0)
    for _ in range(9):
        y, x = rng.uniform(0, side, 2)
        radius, height = rng.uniform(6, 12), rng.uniform(10, 50)
        distance = np.hypot(rows - y, columns - x) / radius
        texture = 1 + 1.5 * gaussian_filter(rng.normal(size=plane.shape), 2.0)
        plane += height * np.maximum(texture, 0) / (1 + np.exp(8 * (distance - 1)))
    return plane


def camera(clean: Array, seed: int = 7) -> Array:
    """Return the plane with photon noise and read noise."""
    rng = np.random.default_rng(seed)
    return rng.poisson(clean) + rng.normal(0, READ_NOISE, clean.shape)


def spots(side: int = SIDE) -> Array:
    """Return a dense grid of diffraction-limited spots."""
    rng, rows_columns = np.random.default_rng(1), np.mgrid[:side, :side]
    plane = np.full((side, side), 2.0)
    for y in range(8, side - 8, 14):
        for x in range(8, side - 8, 14):
            place = np.array([y, x]) + rng.uniform(-2, 2, 2)
            away = np.square(rows_columns - place[:, None, None]).sum(axis=0)
            plane += rng.choice([10, 50, 200]) * np.exp(-away / 2 / 0.8**2)
    return plane


def _blurred(clean: Array, sigma: float) -> tuple[Array, Array]:
    rng = np.random.default_rng(7)
    white = gaussian_filter(rng.standard_normal(clean.shape), sigma, mode="wrap")
    return clean, clean + white / white.std() * np.sqrt(clean + READ_NOISE**2)


def _interpolated(clean: Array) -> tuple[Array, Array]:
    clean, noisy = (
        shift(one, (0.5, 0.5), order=1, mode="nearest")
        for one in (clean, camera(clean))
    )
    return clean, noisy


def _rotated(clean: Array) -> tuple[Array, Array]:
    clean, noisy = (
        rotate(one, 7, reshape=False, order=1, mode="nearest")
        for one in (clean, camera(clean))
    )
    return clean, noisy


def _enlarged(clean: Array) -> tuple[Array, Array]:
    small = clean[::2, ::2]
    return zoom(small, 2, order=3), zoom(camera(small), 2, order=3)


def _line_averaged(clean: Array) -> tuple[Array, Array]:
    clean, noisy = (
        (one + np.roll(one, 1, axis=0)) / 2 for one in (clean, camera(clean))
    )
    return clean, noisy


CORRELATED = {
    "blurred by 0.6 pixels": (lambda: _blurred(cells(), 0.6), 2, 0.15),
    "blurred by 1 pixel": (lambda: _blurred(cells(), 1.0), 4, 0.15),
    "interpolated": (lambda: _interpolated(cells()), 2, 0.15),
    "rotated": (lambda: _rotated(cells()), 2, 0.15),
    "enlarged": (lambda: _enlarged(cells(128)), 3, 0.2),
    "line-averaged": (lambda: _line_averaged(cells()), 2, 0.15),
}


def _measure(noisy: Array) -> NoiseSpectrum:
    found = measure_spectrum(noisy, np.ones(noisy.shape, bool))
    assert found is not None
    return found


def _level(found: NoiseSpectrum, clean: Array) -> float:
    return float(np.sqrt(found.level_function.variance(clean).mean()))


@pytest.mark.parametrize("kind", CORRELATED)
def test_filtered_noise_is_correlated_and_its_level_is_right(kind: str) -> None:
    make, distance, tolerance = CORRELATED[kind]
    clean, noisy = make()
    found = _measure(noisy)
    assert found.correlated
    assert abs(found.distance - distance) <= 1
    rms = float(np.sqrt(np.mean((noisy - clean) ** 2)))
    assert _level(found, clean) == pytest.approx(rms, rel=tolerance)


@pytest.mark.parametrize(
    "clean", [cells(), cells(64, 5), spots(), np.full((64, 64), 9.0)]
)
def test_white_noise_is_not_correlated(clean: Array) -> None:
    found = _measure(camera(clean))
    assert not found.correlated
    assert found.distance == 1
    assert found.fall > 0.6


def test_the_direction_of_averaging_is_in_the_spectrum() -> None:
    found = _measure(_line_averaged(cells())[1])
    assert found.correlation(1, 0) == pytest.approx(0.5, abs=0.12)
    assert abs(found.correlation(0, 1)) < 0.2


def test_white_noise_has_power_at_all_frequencies(rng: np.random.Generator) -> None:
    found = _measure(rng.normal(100, 5, (128, 128)))
    np.testing.assert_allclose(found.power_kk.ravel()[1:], 1, atol=0.3)
    assert _level(found, np.full((8, 8), 100.0)) == pytest.approx(5, rel=0.07)
    assert found.correlation(0, 0) == 1


def test_invalid_pixels_are_left_out() -> None:
    _, noisy = _blurred(cells(), 1.0)
    valid = np.ones(noisy.shape, bool)
    valid[:, :20] = False
    found = [measure_spectrum(np.where(valid, noisy, bad), valid) for bad in (0.0, 1e6)]
    assert found[0] is not None
    assert found[1] is not None
    np.testing.assert_allclose(found[0].power_kk, found[1].power_kk, rtol=1e-3)


@pytest.mark.parametrize("shape", [(12, 90), (16, 16)])
def test_too_few_patches_give_nothing(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    assert measure_spectrum(rng.normal(size=shape), np.ones(shape, bool)) is None


def test_no_noise_gives_nothing() -> None:
    plane = np.full((64, 64), 7.0)
    assert measure_spectrum(plane, np.ones(plane.shape, bool)) is None


@pytest.mark.parametrize("seed", range(3))
def test_texture_everywhere_is_not_correlated_noise(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fine, coarse = rng.standard_normal((2, 128, 128))
    contrast = np.exp(gaussian_filter(coarse, 10.0) * 20)
    texture = 128 + 30 * contrast * gaussian_filter(fine, 0.8)
    found = _measure(texture + rng.normal(0, 1.5, texture.shape))
    assert found.fall < 0.5  # as that of interpolated noise
    assert found.spread > 1.6
    assert not found.correlated
