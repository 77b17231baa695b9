from __future__ import annotations

import numpy as np
import pytest

from napari_inr_denoise.core.ensemble.prediction import unbiased_risk

PIXELS = 400_000


@pytest.mark.parametrize("divergence", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("error", [0.0, 1.0, 6.0])
def test_its_mean_is_the_true_squared_error(divergence: float, error: float) -> None:
    """Noise from 1 to 9; the result keeps a share of it and has errors of its own."""
    rng = np.random.default_rng(0)
    variance = rng.uniform(1, 81, PIXELS)
    truth = rng.uniform(0, 500, PIXELS)
    noise = rng.normal(0, np.sqrt(variance))
    denoised = truth + rng.normal(0, error, PIXELS) + divergence * noise
    risk = unbiased_risk(denoised, truth + noise, variance, np.full(PIXELS, divergence))
    spread = np.std(risk - (denoised - truth) ** 2) / np.sqrt(PIXELS)
    wanted = np.mean((denoised - truth) ** 2)
    assert risk.mean() == pytest.approx(wanted, abs=4 * spread + 1e-9)


def test_the_noisy_pixel_itself_risks_its_variance() -> None:
    noisy = np.array([3.0, 50.0])
    risk = unbiased_risk(noisy, noisy, np.array([4.0, 9.0]), np.ones(2))
    np.testing.assert_array_equal(risk, [4, 9])
