"""Tests of the noise spectrum on scenes whose noise was filtered in known ways."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from scipy.ndimage import convolve1d, gaussian_filter, median_filter, minimum_filter

from napari_inr_denoise.core.noise.correlated.spectrum import (
    NoiseSpectrum,
    measure_spectrum,
)
from napari_inr_denoise.core.noise.estimate import plane_noise
from tests.phantoms import (
    Array,
    camera,
    cells,
    enlarged,
    interpolated,
    line_averaged,
    rotated,
    sharpened,
    spots,
    texture,
    tissue,
    with_blurred_noise,
)

Filter = Callable[[Array], Array]
CROSS = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])


def _blurred(clean: Array, width: float) -> tuple[Array, Array]:
    return clean, with_blurred_noise(clean, width)


def _filtered(clean: Array, by: Filter) -> tuple[Array, Array]:
    return by(clean), by(camera(clean))


CORRELATED = {
    "blurred by 0.6 pixels": (lambda: _blurred(cells(), 0.6), 2, 0.15),
    "blurred by 1 pixel": (lambda: _blurred(cells(), 1.0), 4, 0.15),
    "interpolated": (lambda: _filtered(cells(), interpolated), 2, 0.15),
    "rotated": (lambda: _filtered(cells(), rotated), 2, 0.15),
    "enlarged": (lambda: _filtered(cells(128)[::2, ::2], enlarged), 3, 0.2),
    "line-averaged": (lambda: _filtered(cells(), line_averaged), 2, 0.15),
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
    ("seed", "reach", "width", "most"),
    [(1, 5.0, 0.6, 1.1), (2, 5.0, 0.6, 1.1), (1, 4.0, 1.5, 1.4), (3, 4.0, 1.5, 1.4)],
)
def test_small_quiet_places_in_texture_tell_the_level(
    seed: int, reach: float, width: float, most: float
) -> None:
    """With the patches around alone it comes out 1.14 to 1.84 times too high."""
    clean = texture(128, seed, reach)
    noisy = with_blurred_noise(clean, width)
    found = _measure(noisy)
    assert found.correlated
    rms = float(np.sqrt(np.mean((noisy - clean) ** 2)))
    assert 0.95 < _level(found, clean) / rms < most


@pytest.mark.parametrize(
    "clean", [cells(), cells(64, 5), spots(), np.full((64, 64), 9.0)]
)
def test_white_noise_is_not_correlated(clean: Array) -> None:
    found = _measure(camera(clean))
    assert not found.correlated
    assert found.distance == 1
    assert found.fall > 0.6


def test_noise_of_a_limited_band_rings_and_reaches_farther() -> None:
    """After a zoom by two through the Fourier transform."""
    small = camera(cells(128)[::2, ::2])
    waves = np.fft.fftshift(np.fft.fft2(small))
    wider = np.fft.ifftshift(np.pad(waves, small.shape[0] // 2))
    found = _measure(4 * np.fft.ifft2(wider).real)
    assert found.correlated
    assert min(found.correlation(lag, 0) for lag in range(1, 5)) < -0.1
    assert found.distance >= 3


def _trailing(plane: Array) -> Array:
    """A detector that is slow: each pixel of a line keeps light of those before it."""
    return convolve1d(plane, np.exp(-np.arange(6) / 1.2) / 1.7647, axis=1, origin=-2)


MIXED: dict[str, Filter] = {
    "blurred by 0.8 pixels": lambda plane: gaussian_filter(plane, 0.8),
    "blurred by 1 pixel": lambda plane: gaussian_filter(plane, 1.0),
    "rotated": rotated,
    "trailing": _trailing,
}


@pytest.mark.parametrize("kind", MIXED)
def test_white_noise_on_top_does_not_hide_correlated_noise(kind: str) -> None:
    """Such as read noise after a filter. It counted as texture under white noise."""
    rng = np.random.default_rng(5)
    clean = 5 + 60 * tissue(128)
    white = 0.6 * (MIXED[kind](camera(clean)) - MIXED[kind](clean)).std()
    noisy = MIXED[kind](camera(clean)) + rng.normal(0, white, clean.shape)
    model = plane_noise(noisy[..., None], np.ones(noisy.shape, bool))
    assert model.correlated
    rms = float(np.sqrt(np.mean((noisy - MIXED[kind](clean)) ** 2)))
    assert model.sigma == pytest.approx(rms, rel=0.15)


@pytest.mark.parametrize(
    "by",
    [
        partial(median_filter, size=3),
        partial(median_filter, footprint=CROSS),
        partial(minimum_filter, size=3),
    ],
    ids=["median of 9", "median of 5", "minimum"],
)
def test_noise_after_a_rank_filter_is_correlated(by: Filter) -> None:
    """Its spectrum is level at the highest frequencies, as under texture."""
    clean = 5 + 60 * tissue(128)
    noisy = by(camera(clean))
    model = plane_noise(noisy[..., None], np.ones(noisy.shape, bool))
    assert model.correlated
    noise = noisy - by(clean)
    assert model.sigma == pytest.approx(noise.std(), rel=0.2)


@pytest.mark.parametrize(
    "by", [sharpened, lambda plane: 2 * plane - gaussian_filter(plane, 1)]
)
@pytest.mark.parametrize("side", [64, 128])
def test_sharpened_noise_is_correlated(by: Filter, side: int) -> None:
    clean = tissue(side) * 60 + 5
    found = _measure(by(camera(clean)))
    assert found.sharpened
    assert found.correlated
    assert not _measure(camera(clean)).sharpened
    noise = by(camera(clean)) - by(clean)
    assert _level(found, by(clean)) == pytest.approx(noise.std(), rel=0.1)


@pytest.mark.parametrize("width", [0.8, 1.2])
def test_dense_spots_under_white_noise_are_not_correlated_noise(width: float) -> None:
    rng = np.random.default_rng(2)
    clean = gaussian_filter((rng.random((160, 160)) < 0.05) * 1.0, width)
    clean *= 60 / clean.max()
    noisy = clean + rng.normal(0, 2, clean.shape)
    model = plane_noise(noisy[..., None], np.ones(noisy.shape, bool))
    assert not model.correlated
    assert model.sigma == pytest.approx(2, rel=0.35)


def test_the_direction_of_averaging_is_in_the_spectrum() -> None:
    found = _measure(_filtered(cells(), line_averaged)[1])
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


@pytest.mark.parametrize("peak", [3, 30])
def test_places_without_a_photon_have_no_spectrum(peak: float) -> None:
    """Half of the plane is black: zero counts, which are neither fill nor noise."""
    clean = np.maximum(cells() - np.median(cells()), 0)
    clean *= peak / clean.max()
    noisy = np.random.default_rng(0).poisson(clean).astype(float)
    assert (noisy == 0).mean() > 0.5
    found = _measure(noisy)
    assert not found.correlated
    seen = clean > 0
    assert _level(found, clean[seen]) == pytest.approx(
        np.sqrt(clean[seen].mean()), rel=0.2
    )


def _smooth(side: int, period: float) -> Array:
    y, x = np.mgrid[:side, :side] / period
    return np.asarray(120 + 60 * np.sin(x + y) * np.cos(y))


def _fine(side: int, period: float, kind: str) -> Array:
    y, x = 2 * np.pi * np.mgrid[:side, :side] / period
    angles = {"stripes": x, "diagonal": 0.8 * x + 0.6 * y, "rings": np.hypot(x, y)}
    waves = np.sin(x) * np.sin(y) if kind == "grid" else np.sin(angles[kind])
    return np.asarray(100 + 40 * waves)


def _level_over(clean: Array, sigma: float) -> float:
    noisy = clean + np.random.default_rng(1).normal(0, sigma, clean.shape)
    model = plane_noise(noisy[..., None], np.ones(noisy.shape, bool))
    assert not model.correlated
    return model.sigma / sigma


@pytest.mark.parametrize("side", [64, 128])
@pytest.mark.parametrize("period", [8.0, 12.0, 20.0, 30.0])
@pytest.mark.parametrize("sigma", [0.1, 1.0])
def test_smooth_structure_is_not_correlated_noise(
    side: int, period: float, sigma: float
) -> None:
    """A slope has power at all frequencies of a patch, and it falls."""
    level = _level_over(_smooth(side, period), sigma)
    assert level == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize("kind", ["stripes", "diagonal", "rings", "grid"])
@pytest.mark.parametrize("period", [4.0, 8.0, 12.0])
def test_fine_structure_everywhere_is_not_correlated_noise(
    period: float, kind: str
) -> None:
    """Noise cannot have more contrast than the plane."""
    level = _level_over(_fine(128, period, kind), 10.0)
    assert level == pytest.approx(1.0, abs=0.06)


@pytest.mark.parametrize(("width", "within"), [(0.6, 0.1), (1.0, 0.15), (1.5, 0.25)])
def test_correlated_noise_alone_is_found(width: float, within: float) -> None:
    """Its level is the contrast of the plane."""
    noise = gaussian_filter(np.random.default_rng(2).normal(0, 10, (64, 64)), width)
    model = plane_noise(100 + noise[..., None], np.ones(noise.shape, bool))
    assert model.correlated
    assert model.sigma == pytest.approx(noise.std(), rel=within)
