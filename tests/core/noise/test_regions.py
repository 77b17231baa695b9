"""Tests of the regions of a plane that differ in noise level."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from napari_inr_denoise import denoise, estimate_noise
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.regions import log_powers
from napari_inr_denoise.core.report.warning import PlaneWarning
from napari_inr_denoise.core.settings import preset_settings
from tests.phantoms import SIDE, Array, camera, cells, filaments, spots, tissue

COLUMN = np.arange(SIDE)[None] * np.ones((SIDE, 1))
LEFT = COLUMN < SIDE // 2


def _measured(plane: Array) -> NoisyPlane:
    return measure_plane(
        plane[..., None].astype(np.float64), np.ones(plane.shape, bool)
    )


def _gaussian(clean: Array, levels: Array, seed: int = 0) -> Array:
    return clean + levels * np.random.default_rng(seed).standard_normal(clean.shape)


@pytest.mark.parametrize("levels", [(20.0, 2.0), (2.0, 20.0), (4.0, 1.5)])
def test_halves_of_different_noise_are_found(levels: tuple[float, float]) -> None:
    each = np.where(LEFT, *levels)
    found = _measured(_gaussian(cells(), each, 1))
    assert len(found.regions) == 2
    assert found.level is None
    assert found.noise.levels == pytest.approx(sorted(levels), rel=0.15)
    assert found.noise.sigma == pytest.approx(
        np.sqrt(np.mean(np.square(each))), rel=0.1
    )
    noisy = max(found.regions, key=lambda one: one.noise.sigma)
    expected = LEFT if levels[0] > levels[1] else ~LEFT
    assert (noisy.mask_yx == expected).mean() > 0.95
    # A noisy pixel in the quiet region would be kept as it is.
    assert (expected & ~noisy.mask_yx).mean() < 0.01


def test_photon_noise_of_two_exposures() -> None:
    generator, clean = np.random.default_rng(1), cells() * 0.5 + 2
    short, long = generator.poisson(clean), generator.poisson(clean * 20) / 20
    found = _measured(np.where(LEFT, short, long))
    assert len(found.regions) == 2
    told, variance = found.variance(clean[..., None])[..., 0], clean
    assert np.median(told[LEFT] / variance[LEFT]) == pytest.approx(1, abs=0.25)
    right = told[~LEFT] / (variance[~LEFT] / 20)
    assert np.median(right) == pytest.approx(1, abs=0.35)


def test_four_levels_of_a_mosaic() -> None:
    row, column = np.mgrid[:192, :192] // 96
    levels = np.array([1.0, 4.0, 16.0, 64.0])[2 * row + column]
    clean = np.tile(cells(), (2, 2))
    found = _measured(_gaussian(clean, levels))
    assert found.noise.levels == pytest.approx([1, 4, 16, 64], rel=0.25)


def _texture() -> Array:
    fine = np.random.default_rng(3).standard_normal((SIDE, SIDE))
    return np.where(LEFT, 40 * gaussian_filter(fine, 1.0), 0.0) + 50


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("clean", [cells(), spots(), _texture()])
def test_one_curve_holds_on_structure(clean: Array, seed: int) -> None:
    noisy = camera(clean, seed)
    noisy[30, 30], noisy[60:62, 60:62] = 900, 700  # hot pixels are no region
    found = _measured(noisy)
    assert found.regions == ()
    assert found.level is None


def test_an_image_of_two_levels_is_denoised_region_by_region() -> None:
    clean = cells()
    noisy = _gaussian(clean, np.where(LEFT, 20.0, 2.0))
    found = denoise(noisy, axes="YX", preset="fast", seed=0)
    record = found.report.files[0].planes[0]
    assert PlaneWarning.MIXED_LEVELS.value in record.quality.warnings
    assert len(record.noise.levels) == 2
    error = found.image - clean
    assert np.sqrt(np.mean(error[~LEFT] ** 2)) < 1.6
    assert np.sqrt(np.mean(error[LEFT] ** 2)) < 8
    assert found.uncertainty is not None
    ratio = np.abs(error) / found.uncertainty
    for half in (LEFT, ~LEFT):
        assert 0.5 < np.mean(ratio[half] < 1) < 0.97


def test_estimate_noise_tells_the_levels() -> None:
    model = estimate_noise(_gaussian(cells(), np.where(LEFT, 20.0, 2.0)))
    assert len(model.levels) == 2
    assert "in different regions" in model.describe()


def test_a_plane_of_two_levels_does_not_spoil_its_stack() -> None:
    stack = np.stack([camera(cells(), seed) for seed in range(4)])
    stack[3] = _gaussian(cells(), np.where(LEFT, 20.0, 2.0))
    quick = preset_settings("fast", window_steps=6, window_width=16, window_batch=256)
    found = denoise(stack, axes="ZYX", settings=quick)
    shared = [one.shared for one in found.report.files[0].planes]
    assert shared == [True, True, True, False]
    assert len(found.report.files[0].planes[3].noise.levels) == 2


def _shifted(image: Array) -> Array:
    return shift(image, (0.4, 0.3), order=1, mode="nearest")


def test_a_registered_tile_beside_a_raw_one_has_a_noise_of_its_own() -> None:
    """Interpolation correlates the noise of one, and makes it smaller."""
    clean = 40 + cells()
    noisy = _gaussian(clean, np.full(clean.shape, 5.0))
    found = _measured(np.where(LEFT, noisy, _shifted(noisy)))
    assert len(found.regions) == 2
    assert found.noise.correlated
    left = 5 * np.sqrt((0.6**2 + 0.4**2) * (0.7**2 + 0.3**2))
    raw, registered = sorted(found.regions, key=lambda one: one.noise.correlated)
    assert (raw.mask_yx == LEFT).mean() > 0.9
    assert (raw.noise.correlated, registered.noise.correlated) == (False, True)
    assert raw.noise.sigma == pytest.approx(5, rel=0.1)
    assert registered.noise.sigma == pytest.approx(left, rel=0.2)


@pytest.mark.parametrize("clean", [tissue(SIDE), cells(), filaments(SIDE)])
def test_two_exposures_that_were_registered_together(clean: Array) -> None:
    """On cells and filaments the whole plane seems to have texture and white noise."""
    clean = 40 + clean
    noisy = _shifted(_gaussian(clean, np.where(LEFT, 3.0, 9.0)))
    found = _measured(noisy)
    assert [one.noise.correlated for one in found.regions] == [True, True]
    low, high = sorted(one.noise.sigma for one in found.regions)
    assert high / low == pytest.approx(3, rel=0.25)


def test_a_plane_of_regions_stays_on_its_own_grid() -> None:
    """On a coarser grid, this noise would be white."""
    random = np.random.default_rng(0)
    clean = gaussian_filter(random.normal(size=(192, 192)), 6)
    clean = 40 + 60 * (clean - clean.min()) / np.ptp(clean)
    levels = np.where(np.arange(192)[None] < 96, 3.0, 9.0)
    noisy = _shifted(clean + levels * random.normal(size=clean.shape))
    settings = preset_settings(
        "fast", window_steps=5, window_width=16, window_batch=256, device="cpu"
    )
    (plane,) = denoise(noisy, settings=settings).report.files[0].planes
    assert len(plane.noise.levels) == 2
    assert plane.noise.correlated


@pytest.mark.parametrize("width", [0.0, 0.5, 0.6])
def test_powers_of_differences_follow_from_the_spectrum(width: float) -> None:
    """Divided by them, noise of one level has a power of 1 in each difference."""
    noise = gaussian_filter(np.random.default_rng(0).normal(size=(192, 192)), width)
    found = _measured(50 + 9 * noise / noise.std())
    assert found.noise.correlated == (width > 0)
    logs, _ = log_powers(found.plane_yxs, found.valid_yx, found.curves)
    # Mean logarithm of the square of a normal variable, where 0.05 is the least.
    np.testing.assert_allclose(logs.mean(axis=(1, 2)), -0.92, atol=0.15)


@pytest.mark.parametrize("clean", [cells(), spots(), _texture()])
def test_correlated_noise_of_one_level_has_no_regions(clean: Array) -> None:
    clean = 40 + clean
    found = _measured(_shifted(_gaussian(clean, np.full(clean.shape, 5.0))))
    assert not found.regions
    assert found.level is None
