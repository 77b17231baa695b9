"""The noise in words and as a curve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.plugin.controls.noise_row import NoiseRow, noise_curves

GAIN = 2.0


def _plane(noisy: np.ndarray[Any, np.dtype[np.float64]]) -> NoisyPlane:
    valid = np.ones(noisy.shape, dtype=bool)
    return measure_plane(noisy[..., None], valid)


@pytest.fixture
def photons(rng: np.random.Generator) -> NoisyPlane:
    """A plane that brightens from left to right, with photon noise alone."""
    clean = np.tile(np.linspace(5, 200, 192), (192, 1))
    return _plane(GAIN * rng.poisson(clean).astype(float))


def test_photon_noise_is_a_line_from_zero(photons: NoisyPlane) -> None:
    (curve,) = noise_curves(photons)
    intensity, variance = np.transpose(curve.points)
    assert len(intensity) > 3
    np.testing.assert_allclose(variance / intensity, GAIN, rtol=0.25)
    across, model = np.transpose(curve.model)
    assert (across.min(), across.max()) == (intensity.min(), intensity.max())
    np.testing.assert_allclose(model[30:] / across[30:], GAIN, rtol=0.25)


def test_correlated_noise_is_given_by_its_level(rng: np.random.Generator) -> None:
    noise = rng.normal(0, 10, (193, 193))
    plane = _plane(100 + noise[1:, 1:] + noise[:-1, 1:] + noise[1:, :-1])
    assert plane.noise.correlated
    for curve in noise_curves(plane):
        np.testing.assert_allclose(
            np.transpose(curve.points)[1], plane.noise.sigma, rtol=0.2
        )


@pytest.mark.window
@pytest.mark.usefixtures("viewer")
def test_the_curve_is_offered_where_it_is_known(photons: NoisyPlane) -> None:
    row = NoiseRow()
    assert not row.plot_button.isVisibleTo(row)
    row.show_plane(photons)
    assert row.plot_button.isVisibleTo(row)
    assert not row.plot.isVisibleTo(row)
    row.plot_button.click()
    assert row.plot.isVisibleTo(row)
    drawn = row.plot.grab().toImage()
    row.plot.show_curves((), "")
    assert row.plot.grab().toImage() != drawn
    row.show_plane(None)
    assert not row.plot.isVisibleTo(row)
