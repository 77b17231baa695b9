from __future__ import annotations

import numpy as np
import pytest

from napari_inr_denoise.core.noise_curve import (
    NoiseCurve,
    constant_curve,
    measure_noise_curve,
)

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


def _measure(plane: np.ndarray, valid: np.ndarray | None = None) -> NoiseCurve:
    curve = measure_noise_curve(plane, np.isfinite(plane) if valid is None else valid)
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
    assert measure_noise_curve(plane, np.ones(shape, bool)) is None


def test_a_plane_that_is_hardly_valid_tells_nothing(rng: np.random.Generator) -> None:
    plane = rng.poisson(20, (96, 96)).astype(float)
    assert measure_noise_curve(plane, rng.random((96, 96)) < 0.3) is None


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
    curve = measure_noise_curve(plane, np.ones(plane.shape, bool))
    if curve is not None:
        variance = curve.variance(np.linspace(0, 60, 50))
        assert np.isfinite(variance).all()
        assert (variance >= 0).all()


def test_between_the_groups_it_is_interpolated_and_beyond_it_follows_the_line() -> None:
    """Groups at 0, 10 and 20; the brightest is wide, and only the line counts there."""
    curve = NoiseCurve(2.0, 5.0, (0.0, 10.0, 20.0), (5.0, 35.0, 45.0))
    found = curve.variance(np.array([-7.0, 0.0, 5.0, 10.0, 20.0]))
    np.testing.assert_allclose(found, [5, 5, 20, 35, 55])
    np.testing.assert_allclose(curve.line(np.array([0.0, 10.0])), [5, 25])
    assert curve.line(np.array([-1e6]))[0] > 0


def test_a_constant_curve_is_the_same_everywhere() -> None:
    curve = constant_curve(3.0)
    found = curve.variance(np.array([[-1e9, 0.0], [1.0, 1e9]]))
    np.testing.assert_array_equal(found, np.full((2, 2), 9.0))
    assert curve.gain == 0
