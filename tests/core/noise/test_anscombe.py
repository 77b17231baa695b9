from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from napari_inr_denoise.core.noise.anscombe import (
    _CLOSED_FORM_ABOVE,
    _LAST_MEAN,
    Anscombe,
    _mean_root,
    _table,
    _unbiased_mean,
)

SAMPLES = 200_000
READ_NOISES = [0.0, 1e-13, 1e-3, 0.375, 1.0, 5.0, 50.0]
"""Variances in photons^2."""
DETECTORS = [(1.0, 0.0, 0.0), (2.5, 3.0, 0.0), (0.02, 0.05, 0.0), (12.0, 0.0, 300.0)]
"""Gain, read noise and pedestal for which the two parameters tell all."""


def _detector(
    gain: float, read_noise: float, pedestal: float, photons: float, seed: int = 0
) -> tuple[Anscombe, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    noisy = gain * rng.poisson(photons, SAMPLES) + pedestal
    noisy = noisy + rng.normal(0, read_noise, SAMPLES)
    return Anscombe(gain, read_noise**2 - gain * pedestal), noisy


@pytest.mark.parametrize(("gain", "read_noise", "pedestal"), DETECTORS)
@pytest.mark.parametrize("photons", [0.1, 0.7, 3.0, 20.0, 150.0, 500.0])
def test_a_mean_comes_back_unbiased(
    gain: float, read_noise: float, pedestal: float, photons: float
) -> None:
    noise, noisy = _detector(gain, read_noise, pedestal, photons)
    back = noise.inverse(noise.forward(noisy).mean())
    error_of_mean = np.sqrt((gain**2 * photons + read_noise**2) / SAMPLES)
    # Where photons are few the inverse is steep, and the error grows a little.
    assert back == pytest.approx(gain * photons + pedestal, abs=6 * error_of_mean)


def test_the_algebraic_inverse_would_be_biased() -> None:
    noise, noisy = _detector(1.0, 0.0, 0.0, photons=3.0)
    algebraic = (noise.forward(noisy).mean() / 2) ** 2 - 0.375
    assert algebraic < 2.8


@pytest.mark.parametrize("pedestal", [3.0, 100.0])
@pytest.mark.parametrize("photons", [0.0, 0.5, 5.0, 50.0])
def test_read_noise_hidden_by_a_pedestal_costs_little(
    pedestal: float, photons: float
) -> None:
    """Two parameters cannot tell read noise and pedestal apart."""
    counts = np.arange(200.0)
    mean = stats.poisson.pmf(counts, photons) @ _mean_root(counts, 4.0)
    back = Anscombe(1.0, 4.0 - pedestal).inverse(mean)
    assert back == pytest.approx(photons + pedestal, abs=0.05)


@pytest.mark.parametrize(("gain", "read_noise", "pedestal"), DETECTORS)
@pytest.mark.parametrize("photons", [5.0, 30.0, 500.0])
def test_the_noise_is_one_after_forward(
    gain: float, read_noise: float, pedestal: float, photons: float
) -> None:
    noise, noisy = _detector(gain, read_noise, pedestal, photons)
    assert noise.forward(noisy).std() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("read_noise", READ_NOISES)
def test_the_table_agrees_with_the_expectation(read_noise: float) -> None:
    means = np.array([0.0, 0.013, 0.4, 1.7, 9.1, 63.0, 199.0, 201.0, 290.0])
    counts = np.arange(600.0)
    chances = stats.poisson.pmf(counts, means[:, None])
    transformed = chances @ _mean_root(counts, read_noise)
    back = _unbiased_mean(transformed, read_noise)
    np.testing.assert_allclose(back, means, atol=5e-4)


@pytest.mark.parametrize("read_noise", [1e-3, 0.375, 1.0, 5.0, 50.0])
def test_the_mean_root_is_the_integral_over_the_read_noise(read_noise: float) -> None:
    counts = np.array([0.0, 1.0, 4.0, 30.0, 100.0])
    spreads, step = np.linspace(-9, 9, 40_001, retstep=True)
    photons = counts[:, None] + 0.375 + read_noise + np.sqrt(read_noise) * spreads
    roots = 2 * np.sqrt(np.maximum(photons, 0))
    integral = roots @ stats.norm.pdf(spreads) * step
    found = _mean_root(counts, read_noise)
    np.testing.assert_allclose(found, integral, atol=2e-5)


@pytest.mark.parametrize("read_noise", READ_NOISES)
def test_the_table_rises_and_joins_the_closed_form(read_noise: float) -> None:
    transformed, means = _table(read_noise)
    assert np.all(np.diff(transformed) > 0)
    assert means[-1] == pytest.approx(_LAST_MEAN)
    around = np.nextafter(transformed[-1], [0.0, np.inf])
    below, above = _unbiased_mean(around, read_noise)
    assert below == pytest.approx(above, abs=1e-3)


def test_without_a_table_the_inverse_hardly_changes() -> None:
    stabilized = np.linspace(0, 40, 500)
    with_table = _unbiased_mean(stabilized, _CLOSED_FORM_ABOVE)
    without = _unbiased_mean(stabilized, _CLOSED_FORM_ABOVE + 1e-9)
    np.testing.assert_allclose(with_table, without, atol=3e-3)


@pytest.mark.parametrize("variance_at_zero", [-700.0, 0.0, 9.0, 1e4])
def test_both_ways_are_monotone(variance_at_zero: float) -> None:
    noise = Anscombe(2.0, variance_at_zero)
    assert np.all(np.diff(noise.forward(np.linspace(-500, 5000, 2000))) >= 0)
    assert np.all(np.diff(noise.inverse(np.linspace(-5, 300, 2000))) >= 0)


@pytest.mark.parametrize(
    ("variance_at_zero", "dark"), [(-700.0, 350.0), (0.0, 0.0), (9.0, 0.0), (1e4, 0.0)]
)
def test_nothing_comes_out_darker_than_no_light(
    variance_at_zero: float, dark: float
) -> None:
    noise = Anscombe(2.0, variance_at_zero)
    np.testing.assert_array_equal(noise.inverse([-50.0, 0.0]), dark)


@pytest.mark.parametrize("variance_at_zero", [-700.0, 0.0, 9.0, 1e4])
@pytest.mark.parametrize("scale", [1e-6, 1 / 65535, 3.0, 1e5])
def test_the_unit_of_intensity_does_not_matter(
    variance_at_zero: float, scale: float
) -> None:
    image = np.linspace(350, 5000, 50)
    noise = Anscombe(2.0, variance_at_zero)
    scaled = Anscombe(2.0 * scale, variance_at_zero * scale**2)
    stabilized = noise.forward(image)
    np.testing.assert_allclose(scaled.forward(image * scale), stabilized, atol=1e-5)
    np.testing.assert_allclose(
        scaled.inverse(stabilized), noise.inverse(stabilized) * scale, rtol=1e-5
    )


@pytest.mark.parametrize("gain", [0.0, -0.3, 1e-200, 1e-12])
def test_without_photon_noise_it_is_a_division(gain: float) -> None:
    noise = Anscombe(gain, 16.0)
    np.testing.assert_allclose(noise.forward([-8, 0, 4]), [-2, 0, 1])
    np.testing.assert_allclose(noise.inverse([-2, 0, 1]), [-8, 0, 4])


@pytest.mark.parametrize("noise", [Anscombe(1.5, -60.0), Anscombe(0.0, 4.0)])
def test_shape_stays_and_invalid_pixels_stay_invalid(noise: Anscombe) -> None:
    image = np.full((2, 3, 4), 500, dtype=np.float32)
    image[0, 0, 0] = np.nan
    stabilized = noise.forward(image)
    back = noise.inverse(stabilized)
    for array in (stabilized, back):
        assert array.shape == image.shape
        assert array.dtype == np.float64
        np.testing.assert_array_equal(np.isnan(array), np.isnan(image))


@pytest.mark.parametrize(
    ("gain", "variance_at_zero"),
    [(0.0, 0.0), (-1.0, -2.0), (0.0, -3.0), (np.nan, 1.0), (1.0, np.inf)],
)
def test_no_noise_to_stabilise_is_an_error(
    gain: float, variance_at_zero: float
) -> None:
    with pytest.raises(ValueError, match=r"got a gain of .* wanted finite .* Denoise"):
        Anscombe(gain, variance_at_zero)
