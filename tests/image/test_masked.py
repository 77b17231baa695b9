"""Only the pixels of a mask are denoised."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import DenoiseSettings, denoise
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.image.source import NOTE, MaskedImage

TOGETHER = preset_settings(
    "fast", window_steps=20, window_width=16, window_batch=512, device="cpu"
)


def _noisy(shape: tuple[int, ...]) -> NDArray[np.uint16]:
    random = np.random.default_rng(0)
    smooth = gaussian_filter(random.normal(size=shape), 3)
    clean = 200 + 40 * smooth / smooth.std()
    return np.rint(clean + random.normal(0, 8, shape)).astype(np.uint16)


def _left_half(side: int) -> NDArray[np.uint8]:
    labels = np.zeros((side, side), np.uint8)
    labels[:, : side // 2] = 3
    return labels


def test_what_is_outside_comes_back_bit_for_bit() -> None:
    image, labels = _noisy((48, 48)), _left_half(48)
    settings = preset_settings("fast", window_steps=30, window_width=8, device="cpu")
    result = denoise(MaskedImage(image, labels), settings=settings)
    outside = labels == 0
    np.testing.assert_array_equal(result.image[outside], image[outside])
    assert (result.image[~outside] != image[~outside]).mean() > 0.9
    assert NOTE in result.report.files[0].notes
    assert result.report.files[0].dtype == "uint16"


def test_what_is_outside_does_not_matter(tiny: DenoiseSettings) -> None:
    """Neither for the noise nor for the fit: values are the same as with NaN."""
    image, labels = _noisy((48, 48)), _left_half(48)
    inside = labels > 0
    loud = np.where(inside, image, 10_000 * (np.arange(48) % 2)).astype(np.uint16)
    missing = np.where(inside, image, np.nan).astype(np.float32)
    results = [
        denoise(one, settings=tiny)
        for one in (MaskedImage(image, labels), MaskedImage(loud, labels), missing)
    ]
    levels = {one.report.files[0].planes[0].sigma for one in results}
    assert len(levels) == 1
    for other in results[1:]:
        np.testing.assert_array_equal(results[0].image[inside], other.image[inside])
    assert np.isfinite(results[0].image).all()


def test_a_mask_of_one_plane_holds_for_all() -> None:
    image, labels = _noisy((4, 48, 48)), _left_half(48)
    one = denoise(MaskedImage(image, labels), settings=TOGETHER)
    all_planes = np.broadcast_to(labels, image.shape)
    many = denoise(MaskedImage(image, all_planes), settings=TOGETHER)
    np.testing.assert_array_equal(one.image, many.image)
    outside = all_planes == 0
    np.testing.assert_array_equal(one.image[outside], image[outside])


def test_planes_may_have_nothing_inside() -> None:
    image = _noisy((5, 48, 48))
    labels = np.zeros(image.shape, np.uint8)
    labels[1:4, :, :30] = 1
    result = denoise(MaskedImage(image, labels), settings=TOGETHER)
    for number in (0, 4):
        np.testing.assert_array_equal(result.image[number], image[number])
    reasons = [plane.reason for plane in result.report.files[0].planes]
    assert reasons.count("too_few_pixels") == 2
    assert np.isfinite(result.image).all()


def test_tiles_may_have_nothing_inside() -> None:
    image = np.tile(_noisy((48, 48)), (14, 14))
    labels = np.zeros(image.shape, np.uint8)
    labels[:100, :100] = 1
    small = replace(TOGETHER, memory_gb=0.5)
    result = denoise(MaskedImage(image, labels), settings=small)
    outside = labels == 0
    np.testing.assert_array_equal(result.image[outside], image[outside])
    assert (result.image[~outside] != image[~outside]).mean() > 0.9


def test_the_samples_of_a_colour_share_a_mask(tiny: DenoiseSettings) -> None:
    colours = np.stack([_noisy((48, 48))] * 3, axis=-1)
    labels = _left_half(48)
    result = denoise(MaskedImage(colours, labels), "YXS", settings=tiny)
    np.testing.assert_array_equal(result.image[labels == 0], colours[labels == 0])
    transposed = denoise(
        MaskedImage(colours.transpose(1, 0, 2), labels.T), "XYS", settings=tiny
    )
    np.testing.assert_array_equal(transposed.image.transpose(1, 0, 2), result.image)


def test_a_volume_has_a_mask(tiny: DenoiseSettings) -> None:
    image, labels = _noisy((3, 32, 32)), _left_half(32)
    settings = replace(tiny, mode="volume")
    result = denoise(MaskedImage(image, labels), "ZYX", settings=settings)
    outside = np.broadcast_to(labels == 0, image.shape)
    np.testing.assert_array_equal(result.image[outside], image[outside])
    assert np.isfinite(result.image).all()


def test_a_lazy_mask_is_read_part_by_part(tiny: DenoiseSettings) -> None:
    import dask.array as da

    image, labels = _noisy((2, 32, 32)), np.ones((2, 32, 32), bool)
    labels[:, :8] = False
    lazy: Any = da.from_array(labels, chunks=(1, 32, 32))
    result = denoise(MaskedImage(image, lazy), settings=tiny)
    np.testing.assert_array_equal(result.image[:, :8], image[:, :8])


@pytest.mark.parametrize("shape", [(48, 47), (3, 48, 48), (48,), ()])
def test_a_mask_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    masked = MaskedImage(_noisy((4, 48, 48)), np.ones(shape))
    with pytest.raises(ValueError, match=r"mask: got .* wanted Z 4 x Y 48 x X 48"):
        denoise(masked, "ZYX")
