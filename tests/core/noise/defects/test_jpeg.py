"""Noise that JPEG compression has removed is put back."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import DenoiseSettings, denoise, estimate_noise
from napari_inr_denoise.core.noise.defects.jpeg import (
    find_jpeg_blocks,
    without_jpeg_rounding,
)
from tests.phantoms import camera, cells

GREY = 2.0
"""Grey levels of a photon."""


def compressed(image: NDArray[np.float64], quality: int = 50) -> NDArray[np.float64]:
    """Return an image, in grey levels, as JPEG keeps it."""
    file = BytesIO()
    grey = Image.fromarray(np.clip(np.rint(image), 0, 255).astype(np.uint8))
    grey.save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file), dtype=np.float64)


def photons(seed: int = 0) -> NDArray[np.float64]:
    """Return noisy cells in grey levels, with about 15 photons."""
    random = np.random.default_rng(seed)
    truth = cells()
    return GREY * random.poisson(20 * truth / truth.mean())


def everywhere(image: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.ones(image.shape, dtype=np.bool_)


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (257.0, 0.0), (1 / 255, 9)])
def test_blocks_of_a_crop_are_found_in_any_unit(scale: float, offset: float) -> None:
    crop = compressed(photons())[3:, 6:] * scale + offset
    blocks = find_jpeg_blocks(crop, everywhere(crop))
    assert blocks is not None
    assert (blocks.top, blocks.left) == (5, 2)
    assert blocks.unit == pytest.approx(scale)
    # The first steps of the standard's example table, at a quality of 50.
    found = blocks.steps_kk[0, 1:4] / scale
    np.testing.assert_allclose(found, (11, 10, 16), atol=0.6)


@pytest.mark.parametrize("quality", [30, 50, 75])
def test_the_noise_is_as_before_the_compression(quality: int) -> None:
    before = photons()
    after = compressed(before, quality)
    told, true = estimate_noise(after), estimate_noise(before)
    assert not told.correlated
    assert told.sigma == pytest.approx(true.sigma, rel=0.25)
    assert after.std() < before.std()


def test_structure_stays_within_half_a_step() -> None:
    plane = compressed(photons())
    values, change = without_jpeg_rounding(plane[..., None], everywhere(plane))
    assert change is not None
    np.testing.assert_allclose(values + change, plane[..., None])
    # The mean of a block is kept, and so is what is larger than the steps.
    blocks = change[..., 0].reshape(12, 8, 12, 8).mean(axis=(1, 3))
    np.testing.assert_allclose(blocks, 0, atol=1e-9)
    low = gaussian_filter(change[..., 0], 4).std()
    assert low < 0.1 * change.std()
    again, _ = without_jpeg_rounding(plane[..., None], everywhere(plane))
    np.testing.assert_array_equal(values, again)


def test_dark_blocks_of_one_value_are_no_fill() -> None:
    random = np.random.default_rng(0)
    bright = 60 * (cells() > cells().mean())
    plane = compressed(20 + bright + random.normal(0, 6, (96, 96)), 30)
    assert (plane.reshape(12, 8, 12, 8).std(axis=(1, 3)) == 0).any()
    values, change = without_jpeg_rounding(plane[..., None], everywhere(plane))
    assert change is not None
    parts = values[..., 0].reshape(12, 8, 12, 8)
    assert (parts.std(axis=(1, 3)) > 0.5).all()


@pytest.mark.parametrize("period", [4, 8, 16])
def test_other_planes_stay_as_they_are(period: int) -> None:
    random = np.random.default_rng(period)
    noisy = photons(period)
    stripes = 60 + 40 * (np.indices((96, 96)).sum(axis=0) // (period // 2) % 2)
    smooth = np.rint(80 + 60 * np.sin(np.arange(96) * 2 * np.pi / period))
    others = [
        np.clip(noisy, 0, 255),
        np.rint(stripes + random.normal(0, 3, stripes.shape)),
        np.tile(smooth, (96, 1)),
        gaussian_filter(noisy, 1.0),
        np.rint(gaussian_filter(noisy, 1.0)),
        np.zeros((96, 96)),
        compressed(noisy) + random.normal(0, 1, noisy.shape),
        compressed(noisy)[:60],
    ]
    for number, plane in enumerate(others):
        _, change = without_jpeg_rounding(plane[..., None], everywhere(plane))
        assert change is None, number


def test_invalid_pixels_stay_and_colours_are_left_alone() -> None:
    plane = compressed(photons())
    valid = everywhere(plane)
    valid[:20, :30] = False
    values, change = without_jpeg_rounding(plane[..., None], valid)
    assert change is not None
    np.testing.assert_array_equal(values[:20, :30, 0], plane[:20, :30])
    colours = np.stack([plane] * 3, axis=-1)
    assert without_jpeg_rounding(colours, everywhere(plane))[1] is None
    nothing = np.zeros_like(valid)
    assert without_jpeg_rounding(plane[..., None], nothing)[1] is None


def test_it_is_told_and_the_residual_is_that_of_the_input(
    tiny: DenoiseSettings,
) -> None:
    planes = np.stack([compressed(photons(seed)) for seed in range(2)])
    result = denoise(planes.astype(np.uint8), axes="ZYX", settings=tiny)
    for plane in result.report.files[0].planes:
        assert "compressed" in plane.warnings
        assert "correlated_noise" not in plane.warnings
    alone = denoise(planes[0], axes="YX", settings=tiny)
    assert "compressed" in alone.report.files[0].planes[0].warnings
    both = alone.image + alone.maps["residual"]
    np.testing.assert_allclose(both, planes[0], rtol=1e-4, atol=1e-3)


def test_noise_that_was_correlated_before_is_not_made_white() -> None:
    blurred = gaussian_filter(photons() * 4, 0.7)
    plane = compressed(blurred, 92)
    assert find_jpeg_blocks(plane, everywhere(plane)) is not None
    assert without_jpeg_rounding(plane[..., None], everywhere(plane))[1] is None
    assert estimate_noise(plane).correlated


def test_too_little_noise_to_measure_leaves_the_plane() -> None:
    smooth = compressed(np.tile(np.linspace(20, 200, 96), (96, 1)), 75)
    values, change = without_jpeg_rounding(smooth[..., None], everywhere(smooth))
    assert change is None
    np.testing.assert_array_equal(values[..., 0], smooth)


def test_camera_images_are_not_touched() -> None:
    noisy = camera(cells())
    assert find_jpeg_blocks(np.rint(noisy), everywhere(noisy)) is None
