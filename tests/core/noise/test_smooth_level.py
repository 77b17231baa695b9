"""Tests of noise whose level changes smoothly over a plane."""

from functools import cache

import numpy as np
import pytest
from scipy.ndimage import shift

from napari_inr_denoise import denoise
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.warning import PlaneWarning
from napari_inr_denoise.core.settings import preset_settings
from tests.phantoms import SIDE, Array, cells

CLEAN = cells()
ROW, COLUMN = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
DISTANCE = ROW**2 + COLUMN**2
CORNERS = DISTANCE > 1
LEVELS = {"corners": 3 * (1 + 1.5 * DISTANCE), "ramp": 6 + 5 * COLUMN}


def _measured(plane: Array) -> NoisyPlane:
    return measure_plane(
        plane[..., None].astype(np.float64), np.ones(plane.shape, bool)
    )


def _gaussian(levels: Array, seed: int = 0) -> Array:
    return CLEAN + levels * np.random.default_rng(seed).standard_normal(CLEAN.shape)


@cache
def _grown(kind: str) -> NoisyPlane:
    return _measured(_gaussian(LEVELS[kind]))


def _corrected(light: Array, seed: int = 0) -> Array:
    """Return photon noise of a plane that was divided by its illumination."""
    return np.random.default_rng(seed).poisson(CLEAN * light) / light


def _error(told: Array, levels: Array) -> float:
    """Return the error of a noise level, as a logarithm."""
    return float(np.sqrt(np.mean(np.log(told / levels) ** 2)))


@pytest.mark.parametrize("kind", LEVELS)
def test_gaussian_noise_that_grows(kind: str) -> None:
    found, levels = _grown(kind), LEVELS[kind]
    assert found.level is not None
    assert found.regions == ()
    assert _error(np.sqrt(found.variance(found.plane_yxs)[..., 0]), levels) < 0.25
    assert found.noise.sigma == pytest.approx(np.sqrt(np.mean(levels**2)), rel=0.15)
    least, most = found.noise.levels
    assert least < np.median(levels) < most


def test_photon_noise_after_a_correction_of_the_illumination() -> None:
    light = np.exp(-1.2 * DISTANCE)
    found = _measured(_corrected(light))
    assert found.level is not None
    told = np.sqrt(found.variance(CLEAN[..., None])[..., 0])
    assert _error(told, np.sqrt(np.maximum(CLEAN, 1) / light)) < 0.25
    # Divided by the map, the plane is in photons that all count the same.
    assert found.level.noise.gain > 0


def test_a_plane_that_was_registered_after_the_correction() -> None:
    light, dimmer = np.exp(-1.5 * DISTANCE), 2 + 0.6 * CLEAN
    both = np.random.default_rng(0).poisson(dimmer * light) / light, dimmer
    noisy, clean = (shift(one, 0.4, order=1, mode="mirror") for one in both)
    found = _measured(noisy)
    assert found.level is not None
    assert found.noise.correlated
    assert found.noise.sigma == pytest.approx((noisy - clean).std(), rel=0.15)


def test_a_pedestal_changes_nothing() -> None:
    """Divided by a map, it would become a slope."""
    plain, raised = _grown("ramp"), _measured(_gaussian(LEVELS["ramp"]) - 1000)
    assert plain.level is not None
    assert raised.level is not None
    assert _error(raised.level.scale_yx, plain.level.scale_yx) < 0.1
    assert raised.noise.sigma == pytest.approx(plain.noise.sigma, rel=0.05)
    even = raised.evened().plane_yxs
    np.testing.assert_allclose(raised.level.restored(even), raised.plane_yxs)


def test_hot_pixels_are_those_of_their_surroundings() -> None:
    noisy = _gaussian(LEVELS["corners"])
    noisy[48, 48] = 400
    found = _measured(noisy)
    assert found.level is not None
    assert not found.fitted_yx[48, 48]
    assert found.isolated_count < 10


def test_a_crop_keeps_its_part_of_the_map() -> None:
    found = _grown("ramp")
    window = slice(10, 40), slice(50, 90)
    cropped = found.cropped(window)
    assert cropped.level is not None
    np.testing.assert_array_equal(
        cropped.variance(cropped.plane_yxs),
        found.variance(found.plane_yxs)[window],
    )
    even = found.evened().cropped(window)
    np.testing.assert_allclose(even.restored(even.plane_yxs), cropped.plane_yxs)


def test_the_result_is_in_the_units_of_the_image() -> None:
    levels = LEVELS["corners"]
    noisy = _gaussian(levels)
    quick = preset_settings("fast", window_steps=60)
    found = denoise(noisy, axes="YX", settings=quick)
    record = found.report.files[0].planes[0]
    assert PlaneWarning.MIXED_LEVELS.value in record.quality.warnings
    error = np.abs(found.image - CLEAN)
    assert np.sqrt(np.mean(error**2)) < 0.5 * np.sqrt(np.mean(levels**2))
    assert found.uncertainty is not None
    for part in (CORNERS, ~CORNERS):
        assert 0.5 < np.mean(error[part] < found.uncertainty[part]) < 0.97
    assert found.uncertainty[CORNERS].mean() > 1.3 * found.uncertainty[~CORNERS].mean()
