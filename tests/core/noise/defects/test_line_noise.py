"""Tests of the noise of rows and columns."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import denoise, estimate_noise
from napari_inr_denoise.core.noise.defects.line_noise import line_noise
from napari_inr_denoise.core.noise.defects.structured import without_structured_noise
from napari_inr_denoise.core.settings import DenoiseSettings
from tests.phantoms import Array, camera, cells, spots

WHOLE = np.ones((96, 96), bool)


def _rms(plane: Array) -> float:
    return float(np.sqrt(np.mean(np.square(plane))))


def _filaments() -> Array:
    plane, rows = np.full((96, 96), 5.0), np.arange(6, 92, 9)
    plane[rows, 2:-2] += 40  # along rows, but not from border to border
    return plane


def _stepping() -> Array:
    """Return filaments along rows that change to the next row now and then."""
    plane, columns = np.full((96, 96), 2.0), np.arange(2, 94)
    for number, row in enumerate(range(5, 88, 7)):
        steps = np.rint(np.linspace(0, 1.5 + number % 3, len(columns))).astype(int)
        plane[row + steps, columns] += (3, 6, 12, 25, 50)[number % 5]
    return plane


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("width", [0.0, 0.7])
def test_filaments_that_change_lines_are_kept(
    width: float, axis: int, seed: int
) -> None:
    noisy = gaussian_filter(camera(np.moveaxis(_stepping(), axis, 0), seed), width)
    assert line_noise(noisy[..., None], WHOLE) is None


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("strength", [2.0, 8.0])
def test_noise_of_rows_or_columns_is_removed(
    axis: int, strength: float, rng: np.random.Generator
) -> None:
    white = camera(cells())
    lines = np.expand_dims(rng.normal(0, strength, 96), 1 - axis)
    found, removed = without_structured_noise((white + lines)[..., None], WHOLE)
    assert removed is not None
    left = found[..., 0] - white
    assert _rms(left - left.mean()) < 0.5 * max(strength, 2.5)
    assert abs(removed.mean()) < 0.1


def test_a_hot_column_keeps_what_it_measured() -> None:
    white = camera(cells())
    noisy = white.copy()
    noisy[:, 24] += 300
    found, _ = without_structured_noise(noisy[..., None], WHOLE)
    assert _rms(found[:, 24, 0] - white[:, 24]) < 4
    np.testing.assert_array_equal(
        np.delete(found[..., 0], 24, 1), np.delete(white, 24, 1)
    )


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_the_frame_of_an_image_is_no_noise_of_lines(width: int, turns: int) -> None:
    noisy = camera(cells())
    noisy[:width] -= 100
    assert line_noise(np.rot90(noisy, turns)[..., None], WHOLE) is None


def test_two_hot_columns_next_to_each_other_are_removed() -> None:
    white = camera(cells())
    noisy = white.copy()
    noisy[:, 40:42] += 300
    found, _ = without_structured_noise(noisy[..., None], WHOLE)
    assert _rms(found[:, 40:42, 0] - white[:, 40:42]) < 5


@pytest.mark.parametrize(
    "clean", [cells(), spots(), _filaments(), np.full((96, 96), 9.0)]
)
def test_structure_is_no_noise_of_lines(clean: Array) -> None:
    assert line_noise(camera(clean)[..., None], WHOLE) is None


def test_each_sample_has_its_own(rng: np.random.Generator) -> None:
    plane = np.stack([camera(cells(), seed) for seed in range(3)], axis=-1)
    plane[..., 1] += rng.normal(0, 5, (96, 1))
    found = line_noise(plane, WHOLE)
    assert found is not None
    assert found[..., 1].std() == pytest.approx(5, rel=0.2)
    assert not found[..., [0, 2]].any()


def test_invalid_pixels_and_small_planes_are_no_error() -> None:
    plane = camera(cells())[..., None]
    valid = WHOLE.copy()
    valid[:40, :70] = False
    assert line_noise(plane, valid) is None
    assert line_noise(plane, np.zeros_like(valid)) is None
    assert line_noise(plane[:20], WHOLE[:20]) is None


def test_it_is_told_and_kept_apart(
    tiny: DenoiseSettings, rng: np.random.Generator
) -> None:
    rows = rng.normal(0, 5, (96, 1))
    noisy = camera(cells()) + rows
    result = denoise(noisy, axes="YX", settings=tiny)
    (plane,) = result.report.files[0].planes
    assert "structured_noise" in plane.warnings
    assert "rows or columns" in plane.to_dict()["warnings"][0]["sentence"]
    structured = result.maps["structured"]
    assert np.corrcoef(structured[:, 0], rows[:, 0])[0, 1] > 0.9
    np.testing.assert_allclose(
        result.image + result.maps["residual"], noisy, rtol=1e-4, atol=1e-3
    )
    assert estimate_noise(noisy).sigma < 5
