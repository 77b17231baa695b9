from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import read_image
from napari_inr_denoise.core.noise.defects.hot_pixels import isolated_pixels
from napari_inr_denoise.core.noise.estimate import examine_plane
from napari_inr_denoise.core.noise.level.level_function import NoiseLevelFunction
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.samples import field_of_cells
from tests.core.noise.correlated.test_spectrum import camera, cells


def _find(plane: np.ndarray, sigma: float) -> list[tuple[int, int]]:
    valid = np.isfinite(plane)
    noise = NoiseModel(sigma, correlated=False, sigma_neighbours=sigma)
    problem = NoisyPlane(np.nan_to_num(plane)[..., None], valid, valid, noise)
    found = isolated_pixels(problem)
    return [(int(y), int(x)) for y, x in zip(*np.nonzero(found), strict=True)]


def test_hot_and_dead_pixels_are_found_at_edges_too(rng: np.random.Generator) -> None:
    plane = rng.normal(100, 3, (30, 30))
    plane[0, 0], plane[12, 7], plane[29, 15] = 400, 60000, 0
    assert _find(plane, 3.0) == [(0, 0), (12, 7), (29, 15)]


@pytest.mark.parametrize("width", [0.8, 1.0, 2.0])
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
def test_the_sharpest_spots_and_lines_of_a_microscope_are_not(
    width: float, shift: float
) -> None:
    y, x = np.mgrid[:21, :21] - 10.0
    spot = 1e4 * np.exp(-0.5 * ((y - shift) ** 2 + (x - shift) ** 2) / width**2)
    line = 1e4 * np.exp(-0.5 * (y - shift) ** 2 / width**2)
    assert _find(100 + spot, 1.0) == []
    assert _find(100 + line, 1.0) == []


def test_photon_noise_is_not() -> None:
    sample = field_of_cells()
    assert _find(sample.noisy.astype(float), 4.0) == []


def test_invalid_pixels_are_passed_over() -> None:
    plane = np.full((9, 9), 5.0)
    plane[4, 4], plane[4, 5], plane[0, 0] = 900, np.nan, np.nan
    assert _find(plane, 1.0) == [(4, 4)]
    assert _find(np.full((1, 9), 5.0), 1.0) == []
    alone = np.full((5, 5), np.nan)
    alone[2, 2] = 7.0
    assert _find(alone, 1.0) == []


def test_pairs_are_found_and_rows_are_not(rng: np.random.Generator) -> None:
    plane = rng.normal(100, 3, (30, 30))
    plane[5, 5], plane[5, 6], plane[20, 9], plane[21, 10] = 900, 700, 0, 10
    plane[12, :] = 900
    assert _find(plane, 3.0) == [(5, 5), (5, 6), (20, 9), (21, 10)]


def test_photons_may_be_few_and_bright() -> None:
    # One photon counts 20: five at once in the dark are rare, and no defect.
    plane = np.zeros((9, 9, 1))
    plane[4, 4] = 100
    valid = np.ones((9, 9), dtype=bool)
    noise = NoiseModel(5.0, correlated=False, sigma_neighbours=5.0)
    curve = NoiseLevelFunction(20.0, 1.0, (0.0, 50.0, 100.0), (1.0, 1001.0, 2001.0))
    problem = NoisyPlane(plane, valid, valid, noise, curves=(curve,))
    assert not isolated_pixels(problem).any()
    assert isolated_pixels(replace(problem, curves=())).sum() == 1


def test_no_real_frame_loses_more_than_a_few(data_folder: Path) -> None:
    for path in sorted((data_folder / "fmd").glob("*/noisy_1.png")):
        plane = read_image(path).data.astype(float)[..., None]
        valid = np.ones(plane.shape[:2], dtype=bool)
        noise, curves = examine_plane(plane, valid)
        problem = NoisyPlane(plane, valid, valid, noise, curves=curves)
        assert isolated_pixels(problem).sum() <= 5, path


@pytest.mark.parametrize("side", [2, 3, 4])
@pytest.mark.parametrize("value", [150.0, 400.0])
def test_clusters_of_hot_pixels_are_found_whole(side: int, value: float) -> None:
    noisy, hot = camera(cells()), np.zeros((96, 96), bool)
    for row, column in ((40, 20), (30, 70), (55, 40), (80, 12)):
        hot[row : row + side, column : column + side] = True
    problem = measure_plane(np.where(hot, value, noisy)[..., None], np.ones_like(hot))
    np.testing.assert_array_equal(~problem.fitted_yx, hot)


def test_no_small_cluster_of_one_value_is_missed() -> None:
    """Of 81 on texture, by their edges alone some pass for light."""
    rng, hot = np.random.default_rng(5), np.zeros((192, 192), bool)
    clean = 35 + 12 * gaussian_filter(rng.normal(size=hot.shape), 3) * 10
    noisy = np.where(clean > 0, camera(np.maximum(clean, 0)), 0)
    for place in np.array(list(np.ndindex(9, 9))) * 20 + 8:
        row, column = place + rng.integers(-2, 3, 2)
        hot[row : row + 2, column : column + 2] = True
        noisy[row : row + 2, column : column + 2] = rng.uniform(150, 200)
    found = ~measure_plane(noisy[..., None], np.ones_like(hot)).fitted_yx
    np.testing.assert_array_equal(found, hot)


@pytest.mark.parametrize("psf", [0.7, 0.8, 1.2])
def test_bright_spots_of_any_place_are_no_clusters(psf: float) -> None:
    rng, axes = np.random.default_rng(4), np.mgrid[:96, :96]
    clean = np.full((96, 96), 2.0)
    for place in np.array(list(np.ndindex(6, 6))) * 15 + 9:
        centre = place + rng.uniform(-1, 1, 2)
        away = np.square(axes - centre[:, None, None]).sum(axis=0)
        clean += rng.choice([100, 500, 3000]) * np.exp(-away / 2 / psf**2)
    problem = measure_plane(camera(clean)[..., None], np.ones(clean.shape, bool))
    assert problem.fitted_yx.all()


@pytest.mark.parametrize("sign", [1, -1])
def test_clusters_that_touch_are_found_whole(sign: int) -> None:
    noisy, hot = camera(cells()), np.zeros((96, 96), bool)
    for row, column in ((40, 20), (30, 70), (55, 40), (80, 12)):
        for part, (down, right) in enumerate(((0, 0), (1, 4))):
            top, left, side = row + down, column + right, (4, 3)[part]
            place = np.s_[top : top + side, left : left + side]
            hot[place], noisy[place] = True, 200 + 150 * part
    # Dead pixels are the mirror image of hot ones.
    found = ~measure_plane(sign * noisy[..., None], np.ones_like(hot)).fitted_yx
    np.testing.assert_array_equal(found, hot)


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_clusters_on_the_tops_of_small_structures_are_found(seed: int) -> None:
    rng = np.random.default_rng(seed)
    clean = 2 + 20 * np.abs(gaussian_filter(rng.normal(size=(96, 96)), 2.5)) * 8
    noisy, hot = camera(clean), np.zeros((96, 96), bool)
    for place in np.array(list(np.ndindex(5, 5))) * 18 + 6:
        row, column = place + rng.integers(-2, 3, 2)
        side = rng.integers(1, 5)
        hot[row : row + side, column : column + side] = True
    problem = measure_plane(np.where(hot, 250, noisy)[..., None], np.ones_like(hot))
    assert not (~problem.fitted_yx & ~hot).any()
    assert (problem.fitted_yx & hot).sum() < 0.1 * hot.sum()


def test_thin_lines_and_their_ends_are_no_clusters() -> None:
    clean = np.full((96, 96), 2.0)
    for number, row in enumerate(range(5, 90, 8)):
        columns = np.arange(3, 93)
        rows = row + np.rint(np.linspace(0, 3, len(columns))).astype(int)
        clean[rows, columns] += (6, 12, 25, 50)[number % 4]
    problem = measure_plane(camera(clean)[..., None], np.ones(clean.shape, bool))
    assert problem.fitted_yx.all()


@pytest.mark.parametrize("shift", [0.0, 0.25, 0.5])
def test_a_spot_of_0_6_pixels_is_light(shift: float) -> None:
    y, x = np.mgrid[:21, :21] - 10.0
    spot = 1e4 * np.exp(-0.5 * ((y - shift) ** 2 + (x - shift) ** 2) / 0.6**2)
    assert _find(100 + spot, 1.0) == []


def _sharp_objects(rng: np.random.Generator) -> np.ndarray:
    """Return rectangles whose edges no optics have blurred, a few of them small."""
    plane = np.full((128, 128), 100.0)
    for number in range(60):
        height, width = (3, 3) if number % 30 == 29 else rng.integers(2, 30, 2)
        y, x = rng.integers(0, 120, 2)
        plane[y : y + height, x : x + width] = rng.uniform(20, 240)
    return plane + rng.normal(0, 3, plane.shape)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_small_objects_among_large_ones_with_sharp_edges_are_kept(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert _find(_sharp_objects(rng), 3.0) == []


def test_many_hot_pixels_are_found_among_a_few_sharp_objects(
    rng: np.random.Generator,
) -> None:
    plane = rng.normal(100, 3, (128, 128))
    plane[20:26, 20:60] = plane[90, 5:50] = 200
    hot = [(y, x) for y in (40, 60, 80) for x in (10, 70, 110)]
    for place in hot:
        plane[place] = 300
    assert _find(plane, 3.0) == hot
