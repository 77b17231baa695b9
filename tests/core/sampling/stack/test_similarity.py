from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.sampling.stack import series
from napari_inr_denoise.core.sampling.stack.series import Series
from napari_inr_denoise.core.sampling.stack.similarity import (
    distance_to_next,
    shares_structure,
    sudden_change,
)
from napari_inr_denoise.image.tiling import Tiling
from napari_inr_denoise.io.read import read_image


def _structure(seed: int, width: float = 2.0) -> NDArray[np.float64]:
    """Return spots some pixels wide, of unit spread."""
    spots = gaussian_filter(np.random.default_rng(seed).normal(size=(64, 64)), width)
    return np.asarray(spots / spots.std())


def _problem(clean_yx: NDArray[np.float64], noise: float, seed: int) -> NoisyPlane:
    noisy = clean_yx + np.random.default_rng(100 + seed).normal(0, noise, (64, 64))
    everything = np.ones((64, 64), dtype=bool)
    model = NoiseModel(noise, correlated=False, sigma_neighbours=noise)
    return NoisyPlane(noisy[..., None], everything, everything, model)


@pytest.mark.parametrize("noise", [0.1, 1.0])
def test_planes_of_one_structure_are_related_under_any_noise(noise: float) -> None:
    one, other = (_problem(_structure(0), noise, seed) for seed in (0, 1))
    assert shares_structure(one, other)


@pytest.mark.parametrize("noise", [0.1, 1.0, 3.0])
def test_planes_of_other_structure_are_not(noise: float) -> None:
    one, other = (_problem(_structure(seed), noise, seed) for seed in (0, 1))
    assert not shares_structure(one, other)


def test_coarse_structure_decides_where_fine_structure_is_lost_in_the_noise() -> None:
    first = _problem(_structure(0, 4.0), 6.0, 0)
    assert shares_structure(first, _problem(_structure(0, 4.0), 6.0, 1))
    assert not shares_structure(first, _problem(_structure(1, 4.0), 6.0, 1))


def test_coarse_structure_does_not_where_fine_structure_differs() -> None:
    shared, own = 2 * _structure(0, 10.0), [_structure(seed) for seed in (1, 2)]
    one, other = (_problem(shared + own[k], 0.1, k) for k in (0, 1))
    assert not shares_structure(one, other)


def test_empty_planes_have_no_structure_to_share() -> None:
    nothing = np.zeros((64, 64))
    found = [
        shares_structure(_problem(nothing, 1.0, seed), _problem(nothing, 1.0, seed + 1))
        for seed in range(0, 20, 2)
    ]
    assert sum(found) <= 1


@pytest.mark.parametrize("contrast", [0.3, 3.0])
def test_structure_is_not_shared_with_an_empty_plane(contrast: float) -> None:
    """As at the ends of a z stack. A part of the structure is alike by chance."""
    nothing = np.zeros((64, 64))
    found = [
        shares_structure(
            _problem(contrast * _structure(seed), 1.0, seed),
            _problem(nothing, 1.0, seed + 1),
        )
        for seed in range(0, 60, 2)
    ]
    assert sum(found) <= 1


def test_a_brighter_or_dimmer_plane_is_still_related() -> None:
    one = _problem(_structure(0), 0.5, 0)
    other = _problem(20 * _structure(0) + 300, 10.0, 1)
    assert shares_structure(one, other)
    assert not shares_structure(one, _problem(-_structure(0), 0.5, 1))


def test_pixels_that_do_not_count_do_not_decide() -> None:
    one, other = (_problem(_structure(0), 0.2, seed) for seed in (0, 1))
    one.plane_yxs[20:24, 20:24] = 1e6
    one.fitted_yx[20:24, 20:24] = False
    assert shares_structure(one, other)


@pytest.mark.data
@pytest.mark.parametrize("photons", [10, 60])
def test_crops_of_different_micrographs_are_unrelated(
    data_folder: Path, photons: float, rng: np.random.Generator
) -> None:
    crops = []
    for path in sorted((data_folder / "micro_clean").glob("*.png")):
        data = np.asarray(read_image(path).data, float)
        grey = data.mean(axis=-1) if data.ndim == 3 else data
        middle = [size // 2 for size in grey.shape]
        crop = grey[middle[0] - 128 : middle[0] + 128, middle[1] - 128 :][:, :256]
        noisy = rng.poisson(crop * photons / 255) + rng.normal(0, 2, crop.shape)
        crops.append(noisy[..., None])
    every = np.ones((256, 256), dtype=bool)
    planes = Series(
        lambda number, window: (crops[number][window], every[window]),
        len(crops),
        Tiling.of((256, 256), 1024),
        (1.0, 1.0),
        1,
    )
    assert len(crops) == 7
    assert [planes.context_numbers(number) for number in range(7)] == [None] * 7


@pytest.mark.parametrize(("kept", "most"), [(2**22, 2), (0, 4)])
def test_planes_of_a_small_series_are_kept(
    monkeypatch: pytest.MonkeyPatch, kept: int, most: int
) -> None:
    """Once for the noise of all, and once more; else once for each use far apart."""
    monkeypatch.setattr(series, "_MAX_KEPT_PIXELS", kept)
    every, reads = np.ones((64, 64), dtype=bool), [0] * 12

    def read(number: int, window: tuple[slice, slice]) -> series.Values:
        reads[number] += 1
        values = 5 * _structure(0) + np.random.default_rng(number).normal(size=(64, 64))
        return values[window][..., None], every[window]

    planes = Series(read, 12, Tiling.of((64, 64), 1024), (1.0, 1.0), 1)
    for _ in range(2):
        for number in range(12):
            planes.member(number, planes.tiling.tiles[0])
    assert max(reads) <= most
    assert (sum(reads) <= 12 + 8) == (kept > 0)


def _disk(radius: float, centre: tuple[int, int] = (30, 34)) -> NDArray[np.bool_]:
    y, x = np.mgrid[:64, :64]
    return np.asarray((y - centre[0]) ** 2 + (x - centre[1]) ** 2 <= radius**2)


def _changed(
    own: NDArray[np.float64], *context: NDArray[np.float64]
) -> NDArray[np.float64]:
    planes = [_problem(one, 1.0, seed) for seed, one in enumerate((own, *context))]
    found = sudden_change(planes[0], planes[1:])
    assert found is not None
    return found


def test_what_stays_does_not_change() -> None:
    still = 5 * _structure(0)
    assert _changed(still, still, still).mean() < 0.01
    assert _changed(still, still).mean() < 0.01


def test_a_dimmer_plane_is_no_change() -> None:
    still = 5 * _structure(0)
    assert _changed(still, 2 * still + 40, 0.5 * still - 3).mean() < 0.01


@pytest.mark.parametrize("height", [-4.0, 4.0])
@pytest.mark.parametrize("where", [(0,), (1,), (2,), (0, 1)])
def test_a_change_is_found_in_the_plane_or_in_one_beside(
    where: tuple[int, ...], height: float
) -> None:
    """A transient, the planes before and after it, and a step."""
    planes = [5 * _structure(0) for _ in range(3)]
    for number in where:
        planes[number] = planes[number] + height * _disk(3)
    found = _changed(*planes)
    assert found[_disk(2)].mean() > 0.9
    assert found[~_disk(8)].mean() < 0.01


def test_a_steady_change_is_not_sudden() -> None:
    """As from plane to plane of a smooth volume."""
    still, rise = 5 * _structure(0), 4.0 * _disk(6)
    assert _changed(still, still - rise, still + rise).mean() < 0.01
    assert _changed(still, still, still + rise)[_disk(4)].mean() > 0.9


def test_where_there_is_no_plane_beside_nothing_is_known() -> None:
    own = _problem(_structure(0), 1.0, 0)
    assert sudden_change(own, ()) is None
    assert sudden_change(own, (None, None)) is None
    alone = sudden_change(own, (None, own))
    assert alone is not None
    assert not alone.any()


def test_a_change_of_what_does_not_count_is_none() -> None:
    own, other = (_problem(5 * _structure(0), 1.0, seed) for seed in (0, 1))
    own.fitted_yx[20:24, 30:34] = False
    own.plane_yxs[20:24, 30:34] = 1e4
    found = sudden_change(own, (other, other))
    assert found is not None
    assert found.mean() < 0.01


@pytest.mark.parametrize("noise", [0.0, 1.0, 2.0])
def test_the_distance_of_planes_is_told_in_pixels(noise: float) -> None:
    rng = np.random.default_rng(4)

    def distance(along_z: float) -> float:
        volume = gaussian_filter(rng.normal(size=(8, 64, 64)), (along_z, 3, 3))
        planes = [
            _problem(plane, noise, seed)
            for seed, plane in enumerate(2 * volume / volume.std())
        ]
        return distance_to_next(planes)

    # As alike as pixels that are one apart, that are three apart, and unlike.
    assert distance(3.0) == pytest.approx(0.0, abs=0.2)
    assert distance(1.0) == pytest.approx(1.0, abs=0.5)
    assert distance(0.2) > 2
    assert distance(1.8) < distance(1.2)


def test_planes_without_structure_are_far_apart() -> None:
    flat = [_problem(np.full((64, 64), 5.0), 0.0, seed) for seed in range(3)]
    assert distance_to_next(flat) == np.inf
