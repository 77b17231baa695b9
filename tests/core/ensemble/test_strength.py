"""More or less denoising than the fit has found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise import denoise
from napari_inr_denoise.core.ensemble.strength import at_strength, image_at_strength
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings

SIGMA = 10.0


@pytest.fixture
def planes(
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float32], NDArray[np.float32]]:
    """An edge of height 100 under noise, a result with a faint error, and its size."""
    truth = np.zeros((40, 40, 1))
    truth[:, 20:] = 100.0
    noisy = truth + rng.normal(0, SIGMA, truth.shape)
    error = rng.normal(0, 0.4 * SIGMA, truth.shape)
    uncertainty = np.full(truth.shape, 0.4 * SIGMA, dtype=np.float32)
    return noisy, (truth + error).astype(np.float32), uncertainty


def test_less_gives_back_what_was_removed(planes: Any) -> None:
    noisy, denoised, uncertainty = planes
    assert at_strength(noisy, denoised, uncertainty, 0.0) is denoised
    half = at_strength(noisy, denoised, uncertainty, -0.5)
    assert np.allclose(half, (noisy + denoised) / 2, atol=1e-4)
    assert np.allclose(at_strength(noisy, denoised, None, -1.0), noisy, atol=1e-4)


@pytest.mark.parametrize("known", [True, False])
def test_more_smooths_what_is_faint_and_keeps_edges(planes: Any, known: bool) -> None:
    noisy, denoised, uncertainty = planes
    before = np.std(denoised[:, 5:15])
    last = before
    for strength in (0.25, 0.5, 1.0):
        told = uncertainty if known else None
        more = at_strength(noisy, denoised, told, strength)
        assert np.std(more[:, 5:15]) < last
        last = np.std(more[:, 5:15])
        assert more.mean() == pytest.approx(denoised.mean(), rel=0.01)
        # The step between two columns is far above the error.
        assert (more[:, 20] - more[:, 19]).mean() > 75
    assert last < 0.25 * before


def test_pixels_without_a_value_stay_and_spoil_nothing(planes: Any) -> None:
    noisy, denoised, uncertainty = planes
    whole = at_strength(noisy, denoised, uncertainty, 1.0)
    for bad in (np.nan, np.inf):
        holed, source = denoised.copy(), noisy.copy()
        holed[3, 4], source[3, 4] = bad, bad
        more = at_strength(source, holed, uncertainty, 1.0)
        assert np.array_equal(more[3, 4], holed[3, 4], equal_nan=True)
        rest = np.ones(more.shape, dtype=bool)
        rest[3, 4] = False
        assert np.isfinite(more[rest]).all()
        assert np.allclose(more[20:], whole[20:])


def test_what_the_run_left_alone_stays_as_it_is(planes: Any) -> None:
    noisy, denoised, uncertainty = planes
    denoised[:10] = noisy[:10]
    source = denoised.astype(np.float64)
    source[10:] = noisy[10:]
    for strength in (-0.7, 0.7):
        changed = at_strength(source, denoised, uncertainty, strength)
        assert np.array_equal(changed[:10], denoised[:10])
        assert not np.allclose(changed[10:], denoised[10:])


@pytest.mark.parametrize("strength", [-0.4, 0.6])
def test_a_run_with_a_strength_is_the_run_changed_after(
    strength: float, rng: np.random.Generator
) -> None:
    settings = preset_settings("fast", window_steps=20, window_width=16, device="cpu")
    noisy = 100 + rng.normal(0, SIGMA, (2, 40, 36))
    plain = denoise(noisy, axes="ZYX", settings=settings)
    told = denoise(noisy, axes="ZYX", settings=replace(settings, strength=strength))
    assert plain.uncertainty is not None
    for number in range(2):
        wanted = at_strength(
            noisy[number, ..., None],
            plain.image[number, ..., None],
            plain.uncertainty[number, ..., None],
            strength,
        )
        assert np.allclose(told.image[number], wanted[..., 0], atol=1e-3)
    assert told.uncertainty is None  # that of the fit is not that of this
    (first, _), (before, _) = (r.report.files[0].planes for r in (told, plain))
    residual = float(np.sqrt(np.mean((told.image[0] - noisy[0]) ** 2)))
    assert first.residual_rms == pytest.approx(residual, rel=1e-4)
    assert (first.residual_rms < before.residual_rms) == (strength < 0)
    assert first.held_out_error is None


def test_a_volume_and_an_image_without_noise(rng: np.random.Generator) -> None:
    quick = DenoiseSettings(
        mode="volume", width=16, depth=2, max_steps=20, device="cpu", strength=-1.0
    )
    noisy = 100 + rng.normal(0, SIGMA, (3, 24, 20))
    result = denoise(noisy, axes="ZYX", settings=quick)
    assert np.allclose(result.image, noisy, atol=1e-3)
    (volume,) = result.report.files[0].planes
    assert volume.residual_rms == pytest.approx(0, abs=1e-3)
    clean = np.full((24, 20), 7.0)
    more = replace(quick, mode="plane", strength=1.0)
    assert np.array_equal(denoise(clean, settings=more).image, clean)


@pytest.mark.parametrize("strength", [-1.0, -0.5, 0.0, 0.5])
def test_a_result_of_integers_does_not_wrap_around(
    rng: np.random.Generator, strength: float
) -> None:
    noisy = rng.poisson(20, (24, 24)).astype(np.uint8)
    saved = np.full((24, 24), 20, np.uint16)  # higher and lower than the noisy image
    changed = image_at_strength(noisy, saved, None, "YX", strength)
    wanted = image_at_strength(noisy, saved.astype(np.float32), None, "YX", strength)
    assert changed.dtype == np.float32
    np.testing.assert_array_equal(changed, wanted)
    assert changed.min() >= min(noisy.min(), 20)
    assert changed.max() <= max(noisy.max(), 20)
