"""Tests of the spectrum of noise without the leakage of small patches."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.noise.correlated.fine_spectrum import (
    COUNT,
    TOLD,
    correlations,
    fine_spectrum,
    told_from_outside,
)
from tests.phantoms import Array, deconvolved


def _power(noise: Array) -> Array:
    """Return the mean power of patches of 8x8 pixels, which starts with structure."""
    patches = sliding_window_view(noise, (8, 8))[::4, ::4].reshape(-1, 8, 8)
    power = np.square(dctn(patches, axes=(1, 2), norm="ortho")).mean(axis=0)
    power[:2, :2] *= 30
    return np.asarray(power)


def _noise(side: int = 256) -> Array:
    return np.random.default_rng(0).normal(size=(side, side))


def test_white_noise_has_the_same_power_everywhere() -> None:
    found = fine_spectrum(_power(_noise()))
    assert found.shape == (COUNT, COUNT)
    assert found.mean() == pytest.approx(1, rel=0.1)
    np.testing.assert_allclose(found, 1, atol=0.35)


def test_a_sharp_limit_is_sharper_than_in_patches() -> None:
    noise = deconvolved(_noise(), limit=0.25)
    power, found = _power(noise), fine_spectrum(_power(noise))
    share = (np.arange(COUNT) + 0.5) / COUNT / 2
    radius = np.hypot(share[:, None], share)
    beyond, within = radius > 0.32, radius < 0.22
    leaked = power[5:].mean() / power[2:3].mean()
    assert found[beyond].mean() / found[within].mean() < leaked / 3


@pytest.mark.parametrize("width", [0.6, 1.0])
def test_the_correlation_of_blurred_noise_is_a_gaussian(width: float) -> None:
    found = correlations(fine_spectrum(_power(gaussian_filter(_noise(), width))), 6)
    expected = np.exp(-np.square(np.arange(7) / (2 * width)))
    np.testing.assert_allclose(found[0], expected, atol=0.12)
    np.testing.assert_allclose(found[:, 0], expected, atol=0.12)


def test_a_blind_spot_hides_blurred_noise_and_no_deconvolved_one() -> None:
    blurred = fine_spectrum(_power(gaussian_filter(_noise(), 0.6)))
    assert told_from_outside(blurred, 1) < TOLD / 2
    sharp = fine_spectrum(_power(deconvolved(_noise())))
    for radius in (1, 2):
        assert told_from_outside(sharp, radius) > 1.5 * TOLD
