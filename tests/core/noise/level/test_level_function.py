from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.noise.level.level_function import (
    NoiseLevelFunction,
    _fit_line,
    _slope_error,
    constant_level_function,
    measure_level_function,
    saturated_level_function,
)
from napari_inr_denoise.core.noise.level.patches import PatchPlaces

PEDESTAL = 100.0


def _light(side: int = 256) -> np.ndarray:
    """Draw a ramp and four blobs with a mean of 1: all intensities, no sharp edge."""
    y, x = np.mgrid[:side, :side] / side
    light = 0.3 + 0.7 * x
    for row, column, width, height in (
        (0.3, 0.3, 0.1, 1.5),
        (0.7, 0.6, 0.15, 1.0),
        (0.2, 0.8, 0.06, 2.0),
        (0.75, 0.2, 0.08, -0.2),
    ):
        far = (y - row) ** 2 + (x - column) ** 2
        light += height * np.exp(-far / (2 * width**2))
    return light / light.mean()


def _frame(
    gain: float, photons: float, read_noise: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return a noisy frame and the noise-free one."""
    rng = np.random.default_rng(seed)
    light = photons * _light()
    noisy = PEDESTAL + gain * rng.poisson(light)
    return noisy + rng.normal(0, read_noise, light.shape), PEDESTAL + gain * light


def _measure(plane: np.ndarray, valid: np.ndarray | None = None) -> NoiseLevelFunction:
    curve = measure_level_function(
        plane, np.isfinite(plane) if valid is None else valid
    )
    assert curve is not None
    return curve


@pytest.mark.parametrize("gain", [0.5, 5.0, 50.0])
@pytest.mark.parametrize("photons", [5.0, 50.0])
def test_gain_and_level_of_photon_noise(gain: float, photons: float) -> None:
    read_noise = gain  # of one photon
    noisy, clean = _frame(gain, photons, read_noise)
    curve = _measure(noisy)
    rms = np.sqrt(gain**2 * photons + read_noise**2)
    assert curve.gain == pytest.approx(gain, rel=0.1)
    assert np.sqrt(curve.variance(clean).mean()) == pytest.approx(rms, rel=0.05)
    assert curve.gain * PEDESTAL + curve.variance_at_zero == pytest.approx(
        read_noise**2, abs=0.1 * rms**2
    )


@pytest.mark.parametrize("share", [0.05, 0.2])
@pytest.mark.parametrize(("gain", "read_noise"), [(0.0, 1.0), (1.0, 1.0)])
def test_multiplicative_noise_grows_on_beyond_the_bins(
    share: float, gain: float, read_noise: float, rng: np.random.Generator
) -> None:
    light = 100 * _light(192) ** 2
    counts = rng.poisson(light) if gain else light
    noisy = PEDESTAL + counts * rng.normal(1, share, light.shape)
    noisy += rng.normal(0, read_noise, light.shape)
    curve = _measure(noisy)
    bright = light[light + PEDESTAL > curve.intensities[-2]]
    variance = gain * bright + share**2 * (bright**2 + gain * bright) + read_noise**2
    found = curve.variance(bright + PEDESTAL)
    line = replace(curve, extra_slope=0.0).variance(bright + PEDESTAL)
    assert found.sum() == pytest.approx(variance.sum(), rel=0.15)
    assert curve.extra_slope > 0
    assert line.sum() < found.sum()


@pytest.mark.parametrize("seed", range(6))
def test_photon_noise_grows_no_faster_than_a_line(seed: int) -> None:
    assert _measure(_frame(2.0, 20.0, 3.0, seed)[0]).extra_slope == 0


def test_a_parabola_is_followed_and_scatter_is_not(rng: np.random.Generator) -> None:
    mean = np.linspace(10.0, 50.0, 12)
    rows = [mean, 4 + mean**2 / 10, 0 * mean, 0 * mean + 500]
    curve = _fit_line(np.stack(rows, axis=1))
    assert curve.gain + curve.extra_slope == pytest.approx(mean[-2] / 5, rel=0.05)
    for _ in range(50):
        rows[1] = (4 + 2 * mean) * rng.normal(1, 0.1, len(mean))
        assert _fit_line(np.stack(rows, axis=1)).extra_slope == 0


def test_above_the_bins_the_slope_may_be_steeper() -> None:
    curve = NoiseLevelFunction(
        2.0, 5.0, (0.0, 10.0, 20.0), (5.0, 35.0, 45.0), extra_slope=3.0
    )
    found = curve.variance(np.array([5.0, 10.0, 20.0, 30.0, 40.0]))
    np.testing.assert_allclose(found, [20, 35, 85, 135, 185])
    stretched = curve.stretched(2.0, 0.0).variance(np.array([20.0, 60.0]))
    np.testing.assert_allclose(stretched, [140, 540])
    np.testing.assert_allclose(curve.times(2.0).variance(np.array(30.0)), 270)


def test_noise_that_does_not_grow_is_flat(rng: np.random.Generator) -> None:
    clean = 100 * _light()
    curve = _measure(clean + rng.normal(0, 10, clean.shape))
    found = np.sqrt(curve.variance(clean))
    np.testing.assert_allclose(found, 10, rtol=0.1)
    assert curve.gain * np.ptp(clean) < 10


def test_the_curve_follows_the_unit_and_the_pedestal() -> None:
    noisy, clean = _frame(5.0, 20.0, read_noise=8.0)
    plain, scaled = _measure(noisy), _measure(3 * noisy + 700)
    assert scaled.gain == pytest.approx(3 * plain.gain, rel=1e-3)
    np.testing.assert_allclose(
        scaled.variance(3 * clean + 700), 9 * plain.variance(clean), rtol=1e-3
    )
    dark = scaled.gain * (3 * PEDESTAL + 700) + scaled.variance_at_zero
    wanted = plain.gain * PEDESTAL + plain.variance_at_zero
    assert dark == pytest.approx(9 * wanted, abs=0.01 * 9 * plain.variance(clean).max())


def test_a_small_plane_is_measured_with_small_patches() -> None:
    noisy, clean = _frame(5.0, 20.0)
    corner = np.s_[96:160, 32:96]
    rms = np.sqrt(np.mean(5 * (clean[corner] - PEDESTAL)))
    found = np.sqrt(_measure(noisy[corner]).variance(clean[corner]).mean())
    assert found == pytest.approx(rms, rel=0.15)


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (20, 20), (3, 3)])
def test_a_tiny_plane_tells_nothing(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    plane = rng.poisson(20, shape).astype(float)
    assert measure_level_function(plane, np.ones(shape, bool)) is None


def test_a_plane_that_is_hardly_valid_tells_nothing(rng: np.random.Generator) -> None:
    plane = rng.poisson(20, (96, 96)).astype(float)
    assert measure_level_function(plane, rng.random((96, 96)) < 0.3) is None


def test_invalid_pixels_do_not_count(rng: np.random.Generator) -> None:
    noisy, clean = _frame(5.0, 20.0)
    valid = np.ones(noisy.shape, bool)
    valid[40:80, 100:140] = False
    valid[rng.integers(0, 256, 200), rng.integers(0, 256, 200)] = False
    curves = [_measure(np.where(valid, noisy, bad), valid) for bad in (0.0, 1e6)]
    assert curves[0] == curves[1]
    assert curves[0].gain == pytest.approx(5, rel=0.1)
    found = np.sqrt(curves[0].variance(clean)[valid].mean())
    assert found == pytest.approx(np.sqrt(25 * 20), rel=0.05)


def test_texture_is_not_taken_for_noise(rng: np.random.Generator) -> None:
    """A tenth of the image is a chequerboard with five times the noise's contrast."""
    clean = 100 * _light()
    clean[:80, :80] += 25 * (np.indices((80, 80)).sum(axis=0) % 2)
    curve = _measure(clean + rng.normal(0, 5, clean.shape))
    assert np.sqrt(curve.variance(clean).mean()) == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize("empty", [0, 128, 256])
def test_a_plane_without_noise_in_places_or_everywhere_is_no_error(
    empty: int, rng: np.random.Generator
) -> None:
    """An unused channel of an RGB image is 0 everywhere."""
    plane = rng.poisson(30, (256, 256)).astype(float)
    plane[:, :empty] = 0
    curve = measure_level_function(plane, np.ones(plane.shape, bool))
    if curve is not None:
        variance = curve.variance(np.linspace(0, 60, 50))
        assert np.isfinite(variance).all()
        assert (variance >= 0).all()


def test_between_the_groups_it_is_interpolated_and_beyond_it_follows_the_line() -> None:
    """Groups at 0, 10 and 20; the brightest is wide, and only the line counts there."""
    curve = NoiseLevelFunction(2.0, 5.0, (0.0, 10.0, 20.0), (5.0, 35.0, 45.0))
    found = curve.variance(np.array([-7.0, 0.0, 5.0, 10.0, 20.0]))
    np.testing.assert_allclose(found, [5, 5, 20, 35, 55])
    np.testing.assert_allclose(curve.line(np.array([0.0, 10.0])), [5, 25])
    assert curve.line(np.array([-1e6]))[0] > 0


def test_a_constant_curve_is_the_same_everywhere() -> None:
    curve = constant_level_function(3.0)
    assert curve.variances == (9.0, 9.0)
    assert curve.variance_at_zero == 9.0
    found = curve.variance(np.array([[-1e9, 0.0], [1.0, 1e9]]))
    np.testing.assert_array_equal(found, np.full((2, 2), 9.0))
    assert curve.gain == 0


def test_patches_that_are_full_of_texture_are_left_out(
    rng: np.random.Generator,
) -> None:
    texture = gaussian_filter(rng.normal(size=(160, 160)), 0.8)
    texture[:, 80:] = 0
    plane = 100 + 40 * texture / texture.std() + rng.normal(0, 5.0, texture.shape)
    level = np.sqrt(_measure(plane).variance(plane).mean())
    assert level == pytest.approx(5.0, rel=0.1)


@pytest.mark.parametrize(("side", "groups"), [(64, range(4, 8)), (128, range(16, 20))])
def test_groups_are_as_many_as_there_are_patches_for(
    rng: np.random.Generator, side: int, groups: range
) -> None:
    curve = _measure(rng.normal(100, 5.0, (side, side)))
    assert len(curve.intensities) in groups


def test_the_surroundings_of_a_patch_are_without_the_patch() -> None:
    plane = np.zeros((40, 40))
    plane[15:21, 17:23] = 7.0
    places = PatchPlaces.of(plane, np.ones(plane.shape, dtype=bool), 6)
    surroundings = places.surroundings
    patches = places.patches(np.arange(len(surroundings))) * places.unit
    patches += places.centre
    (own,) = np.flatnonzero((patches > 6.9).all(axis=1))
    assert surroundings[own] == pytest.approx(0.0, abs=1e-9)
    adjacent = np.flatnonzero((patches < 0.1).all(axis=1) & (surroundings > 0.1))
    assert len(adjacent) > 0


@pytest.mark.parametrize("extreme", [1e5, 1e7, 1e9])
def test_one_extreme_pixel_leaves_the_digits_of_the_others(
    rng: np.random.Generator, extreme: float
) -> None:
    plane = rng.normal(1000, 5.0, (128, 128))
    plane[60, 60] = extreme
    assert _measure(plane).variances == pytest.approx([25.0] * 16, rel=0.1)


def test_one_group_that_is_off_does_not_bend_the_line() -> None:
    mean = np.linspace(10.0, 100.0, 10)
    table = np.stack([mean, 2 * mean + 5, 0 * mean, 0 * mean + 500], axis=1)
    table[4, 1] *= 4
    curve = _fit_line(table[::-1])
    assert curve.gain == pytest.approx(2.0, rel=0.02)
    assert curve.variance_at_zero == pytest.approx(5.0, abs=1.0)
    assert curve.intensities == tuple(mean)


def test_large_groups_weigh_more() -> None:
    mean = np.array([10.0, 10.0, 100.0, 100.0])
    variance, count = np.array([20.0, 30.0, 200.0, 300.0]), np.array([900, 100] * 2)
    curve = _fit_line(np.stack([mean, variance, 0 * mean, count], axis=1))
    assert curve.gain == pytest.approx(2.0, rel=0.05)


def test_the_slopes_error_is_that_of_a_weighted_line(rng: np.random.Generator) -> None:
    x, weight = rng.uniform(0, 1, 9), rng.uniform(0.5, 2, 9)
    y = 3 * x + rng.normal(0, 0.2, 9)
    line, covariance = np.polyfit(x, y, 1, w=np.sqrt(weight), cov=True)
    columns = np.stack([x, np.ones_like(x)], axis=1)
    error = _slope_error(columns, weight, y - np.polyval(line, x))
    assert error == pytest.approx(np.sqrt(covariance[0, 0]))
    assert _slope_error(columns, weight, 0 * y) == 0


def test_a_stretched_function_is_that_of_the_stretched_image() -> None:
    noisy, _ = _frame(5.0, 20.0, 2.0)
    curve = _measure(noisy)
    own = _measure(PEDESTAL + 3 * (noisy - PEDESTAL))
    stretched = curve.stretched(3.0, PEDESTAL)
    assert stretched.gain == pytest.approx(own.gain)
    assert stretched.variance_at_zero == pytest.approx(own.variance_at_zero)
    np.testing.assert_allclose(stretched.intensities, own.intensities)
    np.testing.assert_allclose(stretched.variances, own.variances)


def test_below_the_darkest_bin_the_line_goes_on() -> None:
    noisy, clean = _frame(5.0, 50.0)
    curve = _measure(noisy)
    darkest = curve.intensities[0]
    lower = PEDESTAL + (darkest - PEDESTAL) / 4
    longer = curve.down_to(lower)
    expected = curve.variance(np.array(darkest)) / 4
    assert longer.variance(np.array(lower)) == pytest.approx(expected, rel=0.15)
    np.testing.assert_array_equal(
        longer.variance(clean[clean >= darkest]),
        curve.variance(clean[clean >= darkest]),
    )
    assert curve.down_to(darkest + 1) is curve


def test_bins_close_to_the_limit_of_saturation_do_not_count() -> None:
    """They hold only the part of the noise that was not cut off."""
    known = (20.0, 60.0, 110.0), (24.0, 64.0, 114.0)
    found = {}
    for close in (10.0, 90.0):
        curve = NoiseLevelFunction(
            1.0, 4.0, (*known[0], 140.0, 148.0), (*known[1], close, close)
        )
        found[close] = saturated_level_function(curve, 150.0)
    np.testing.assert_allclose(found[10.0].variances, found[90.0].variances)
    # At the limit, half of a normal variable is left: 1/2 - 1 / (2 pi) of its variance.
    at_limit = 150 - np.sqrt(154 / (2 * np.pi))
    assert found[10.0].variance(np.array(at_limit)) == pytest.approx(
        154 * (0.5 - 1 / (2 * np.pi)), rel=0.02
    )
    steeper = replace(curve, extra_slope=1.0)
    more = saturated_level_function(steeper, 150.0).variance(np.array(at_limit))
    assert more > 1.1 * found[10.0].variance(np.array(at_limit))


@pytest.mark.filterwarnings("error")
def test_a_place_without_noise_beside_a_saturated_one_is_no_error() -> None:
    """As in a channel of a color table, which is cut off at both ends."""
    intensities = (0.0, 0.0, 50.0, 100.0, 180.0, 255.0)
    curve = NoiseLevelFunction(
        2.0, 0.0, intensities, (0.0, 0.0, 90.0, 220.0, 350.0, 1.0)
    )
    found = saturated_level_function(curve, 255.0)
    assert np.isfinite(found.variances).all()
    assert np.isfinite(found.intensities).all()
    np.testing.assert_allclose(found.intensities[:3], (0.0, 0.0, 50.0), atol=1e-6)
    np.testing.assert_allclose(found.variances[:3], (0.0, 0.0, 90.0), atol=1e-6)
