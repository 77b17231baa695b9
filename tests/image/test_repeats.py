"""Enlarged images are denoised as they were before, and enlarged again."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_inr_denoise import denoise, estimate_noise
from napari_inr_denoise.core.denoise import denoise_steps
from napari_inr_denoise.core.preflight.estimate import preflight
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.image.axes import planes_of
from napari_inr_denoise.image.repeats import Repeats, without_repeats
from napari_inr_denoise.image.source import ImageSource, MaskedImage
from napari_inr_denoise.image.stitching import PlaneCanvas
from napari_inr_denoise.image.tiling import Tiling
from tests.phantoms import cells

SETTINGS = preset_settings(
    "fast", window_steps=20, window_width=16, window_batch=512, device="cpu"
)
SPACING = (1.0, 0.1, 0.1)


def _noisy(*shape: int) -> NDArray[np.uint16]:
    random = np.random.default_rng(0)
    return random.poisson(20 * np.ones(shape)).astype(np.uint16)


def _enlarged(image: NDArray[Any], down: float, across: float) -> NDArray[Any]:
    for axis, factor in ((-2, down), (-1, across)):
        size = round(image.shape[axis] * factor)
        image = image.take((np.arange(size) / factor).astype(int), axis)
    return image


@pytest.mark.parametrize("factor", [1.25, 1.5, 2, 3.75])
def test_the_recorded_pixels_are_found(factor: float) -> None:
    image = _noisy(3, 64, 80)
    large = ImageSource(_enlarged(image, factor, factor))
    kept, spacing, repeats = without_repeats(large, "ZYX", SPACING)
    assert repeats is not None
    assert (kept.shape, repeats.shape_yx) == ((3, 64, 80), (64, 80))
    np.testing.assert_array_equal(kept.block((slice(None),) * 3), image)
    assert spacing[1] == pytest.approx(0.1 * factor, rel=0.02)
    plane = next(planes_of("ZYX", kept.shape))
    window = slice(5, 40), slice(11, 60)
    part, valid = kept.read(plane, window)
    np.testing.assert_array_equal(part[..., 0], image[0][window])
    (rows, columns), (again, _) = repeats.enlarged(window, part[..., 0], valid)
    np.testing.assert_array_equal(again, large.block((0, rows, columns)))


def test_each_axis_by_itself() -> None:
    found = Repeats.of(ImageSource(_enlarged(_noisy(40, 50), 2, 1)), "YX")
    assert found is not None
    assert found.shape_yx == (40, 50)


def test_samples_masks_and_missing_values() -> None:
    image = _noisy(2, 40, 40).astype(np.float32)
    image[:, 3, :] = np.nan
    image[1, 7, 9] = np.nan
    large = np.moveaxis(_enlarged(image, 2, 2), 0, -1)
    mask = np.zeros((80, 80), np.bool_)
    mask[:41] = True
    kept, _, repeats = without_repeats(
        ImageSource(MaskedImage(large, mask)), "YXS", SPACING
    )
    assert repeats is not None
    values = np.moveaxis(kept.block((slice(None),) * 3), -1, 0)
    np.testing.assert_array_equal(np.unique(values), np.unique(image))
    (plane,) = planes_of("YXS", kept.shape)
    inside = kept.inside_yx(plane, (slice(0, 41), slice(0, 40)))
    assert inside is not None
    # A missing row says nothing, and is kept twice.
    assert inside[:, 0].tolist() == [True] * 22 + [False] * 19


def _stripes() -> NDArray[Any]:
    return np.tile(np.arange(64.0), (64, 1))


def _fill() -> NDArray[Any]:
    image = _noisy(64, 64)
    image[:20] = 0
    return image


def _jpeg_blocks() -> NDArray[Any]:
    image = _noisy(64, 64)
    image[8:16], image[40:45], image[50:52] = image[8], image[40], image[50]
    return image


def _one_plane_differs() -> NDArray[Any]:
    return np.concatenate([_enlarged(_noisy(2, 32, 32), 2, 2), _noisy(1, 64, 64)])


@pytest.mark.parametrize(
    "image",
    [
        _noisy(64, 64),
        _noisy(1, 1),
        np.zeros((64, 64)),
        _stripes(),
        _fill(),
        _jpeg_blocks(),
        _one_plane_differs(),
        (_noisy(64, 64) > 34).astype(np.uint8),
        _enlarged(_noisy(4, 4), 16, 16),
    ],
)
def test_others_are_left_as_they_are(image: NDArray[Any]) -> None:
    source = ImageSource(image)
    axes = "ZYX"[-image.ndim :]
    assert without_repeats(source, axes, SPACING) == (source, SPACING, None)


def test_only_the_first_part_of_a_usual_image_is_read() -> None:
    class Counted(np.ndarray):  # type: ignore[type-arg]
        read = 0

        def __getitem__(self, selection: Any) -> Any:
            part = super().__getitem__(selection)
            Counted.read += part.size
            return np.asarray(part)

    image = _noisy(4, 600, 600).view(Counted)
    assert Repeats.of(ImageSource(image), "ZYX") is None
    assert Counted.read < 100_000


def _recorded(planes: int) -> NDArray[np.uint16]:
    clean = cells(48) / 20
    random = np.random.default_rng(1)
    return random.poisson(np.stack([clean] * planes)).astype(np.uint16)


def test_the_result_is_that_of_the_recorded_pixels() -> None:
    image = _recorded(3)
    before = denoise(image, settings=SETTINGS)
    after = denoise(_enlarged(image, 2, 1.5), settings=SETTINGS)
    np.testing.assert_array_equal(after.image, _enlarged(before.image, 2, 1.5))
    for name, values in before.maps.items():
        np.testing.assert_array_equal(after.maps[name], _enlarged(values, 2, 1.5))
    (file,) = after.report.files
    assert file.shape == (3, 96, 72)
    assert estimate_noise(_enlarged(image, 2, 1.5)) == estimate_noise(image)
    assert [one.sigma for one in file.planes] == [
        one.sigma for one in before.report.files[0].planes
    ]
    assert file.notes[0].startswith(
        "Enlarged image: of 96 rows and 72 columns only 48 and 48 differ"
    )


@pytest.mark.parametrize("axes", ["YX", "XY"])
def test_tiles_fill_all_of_the_image(axes: str) -> None:
    recorded = np.random.default_rng(2).normal(size=(360, 400)).astype(np.float32)
    image = _enlarged(recorded, 1.5, 2)
    if axes == "XY":
        image = image.T
    source = ImageSource(image)
    kept, _, repeats = without_repeats(source, axes, SPACING)
    (plane,) = planes_of(axes, kept.shape)
    tiling, out = Tiling.of((360, 400), 0), np.full(image.shape, np.nan, np.float32)
    assert tiling.count > 1
    canvas = PlaneCanvas(out, plane, tiling, source, repeats)
    for tile in tiling.tiles:
        values, valid = kept.read(plane, tile.window)
        canvas.add(tile, values.astype(np.float32), valid)
    np.testing.assert_allclose(out, image, atol=1e-5)


def test_masked_values_of_a_lazy_image_stay_masked() -> None:
    dask = pytest.importorskip("dask.array")
    image = np.ma.masked_greater(_noisy(40, 40), 30)
    large = np.ma.masked_array(
        _enlarged(image.data, 2, 2), _enlarged(np.ma.getmaskarray(image), 2, 2)
    )
    kept, _, repeats = without_repeats(
        ImageSource(dask.from_array(large, chunks=16)), "YX", SPACING
    )
    assert repeats is not None
    (plane,) = planes_of("YX", kept.shape)
    _, valid = kept.read(plane, (slice(0, 40), slice(0, 40)))
    np.testing.assert_array_equal(valid, ~np.ma.getmaskarray(image))


def test_the_estimate_tells_the_size_of_the_image() -> None:
    told = preflight(_enlarged(_recorded(1)[0], 2, 2), settings=SETTINGS)
    assert told.shape_yx == (96, 96)
    assert "1 plane of 96x96" in told.words()


def test_outside_of_a_mask_nothing_changes() -> None:
    image = _enlarged(_recorded(1)[0], 2, 2)
    mask = np.zeros(image.shape, np.bool_)
    mask[:, :61] = True  # cuts through the pixels of the recorded image
    result = denoise(MaskedImage(image, mask), settings=SETTINGS)
    np.testing.assert_array_equal(result.image[~mask], image[~mask])
    assert (result.image[:, 60] != image[:, 60]).all()
    for values in result.maps.values():
        np.testing.assert_array_equal(np.isnan(values), ~mask)


def test_previews_and_a_stop_have_the_size_of_the_image() -> None:
    image = _enlarged(_recorded(2), 2, 2)
    steps = denoise_steps(image, "ZYX", SETTINGS)
    for step in steps:
        assert step.so_far().shape == image.shape
        if len(step.finished) == 1:
            break
    stopped = step.stopped()
    steps.close()
    assert stopped.image.shape == image.shape
    np.testing.assert_array_equal(stopped.image[1], image[1])
    again = denoise(image, settings=SETTINGS, resume=stopped)
    np.testing.assert_array_equal(again.image[0], stopped.image[0])
    assert len(again.report.files[0].planes) == 2
