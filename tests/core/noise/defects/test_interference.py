"""Tests of waves that cross a whole plane."""

import numpy as np
import pytest

from napari_inr_denoise.core.noise.defects.interference import interference
from napari_inr_denoise.core.noise.measure import measure_plane
from tests.phantoms import Array, camera, cells, filaments, spots, texture, tissue

SIDE = 128
WHOLE = np.ones((SIDE, SIDE), bool)


def _wave(down: float, right: float, strength: float) -> Array:
    rows, columns = np.indices((SIDE, SIDE))
    return strength * np.sin(2 * np.pi * (down * rows + right * columns) + 1)


def _rms(plane: Array) -> float:
    return float(np.sqrt(np.mean(np.square(plane))))


@pytest.mark.parametrize(
    ("down", "right"), [(0.13, 0.21), (0.31, -0.05), (-0.2, 0.2), (0.45, 0.4)]
)
@pytest.mark.parametrize("strength", [2.0, 6.0])
def test_a_wave_over_the_whole_plane_is_found(
    down: float, right: float, strength: float
) -> None:
    wave = _wave(down, right, strength)
    found = interference((camera(cells(SIDE)) + wave)[..., None], WHOLE)
    assert found is not None
    assert _rms(found[..., 0] - wave) < 0.3 * _rms(wave)


def test_several_waves_are_found_beside_padding() -> None:
    wave = _wave(0.13, 0.21, 5) + _wave(0.3, 0.1, 4) + _wave(-0.1, 0.35, 3)
    noisy, valid = camera(5 + 60 * tissue(SIDE)) + wave, WHOLE.copy()
    valid[:, :20], noisy[:, :20] = False, 0.0
    found = interference(noisy[..., None], valid)
    assert found is not None
    assert _rms((found[..., 0] - wave)[valid]) < 0.35 * _rms(wave)


@pytest.mark.parametrize(
    "clean",
    [
        cells(SIDE),
        tissue(SIDE),
        filaments(SIDE),
        spots(SIDE),
        texture(SIDE, 1, 4.0),
        np.full((SIDE, SIDE), 9.0),
    ],
)
def test_structure_has_no_waves(clean: Array) -> None:
    assert interference(camera(clean)[..., None], WHOLE) is None


def test_a_grating_is_no_interference() -> None:
    """It stands out of the noise far more."""
    grating = 100 + _wave(0.1, 0.05, 60)
    assert interference(camera(grating)[..., None], WHOLE) is None


def test_waves_that_are_all_there_is_are_structure() -> None:
    rows, columns = np.indices((SIDE, SIDE))
    waves = 40 + 10 * np.sin(rows / 2) * np.cos(columns / 3)
    assert interference(camera(waves)[..., None], WHOLE) is None


@pytest.mark.parametrize("without", [64, 45, 32, 24])
def test_a_wave_over_a_part_of_the_plane_is_structure(without: int) -> None:
    wave = _wave(0.13, 0.21, 6)
    wave[:, SIDE - without :] = 0
    assert interference((camera(cells(SIDE)) + wave)[..., None], WHOLE) is None


@pytest.mark.parametrize("seed", range(5))
def test_noise_and_slow_waves_have_none(seed: int) -> None:
    noise = np.random.default_rng(seed).normal(0, 4, (SIDE, SIDE))
    assert interference(noise[..., None], WHOLE) is None
    slow = noise + _wave(0.02, 0.015, 6)
    assert interference(slow[..., None], WHOLE) is None


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_invalid_pixels_do_not_count(share: float) -> None:
    rng = np.random.default_rng(3)
    wave, valid = _wave(0.13, 0.21, 6), rng.random((SIDE, SIDE)) > share
    noisy = np.where(valid, camera(cells(SIDE)) + wave, 1e4)
    found = interference(noisy[..., None], valid)
    assert found is not None
    assert _rms((found[..., 0] - wave)[valid]) < 0.2 * _rms(wave)
    assert not found[~valid].any()


def test_each_sample_has_its_own() -> None:
    plane = np.stack([camera(cells(SIDE), seed) for seed in range(3)], axis=-1)
    plane[..., 1] += _wave(0.13, 0.21, 6)
    found = interference(plane * 1e20, WHOLE)
    assert found is not None
    assert found[..., 1].std() == pytest.approx(6e20 / np.sqrt(2), rel=0.1)
    assert not found[..., ::2].any()


def test_a_small_plane_has_none() -> None:
    plane = (camera(cells(SIDE)) + _wave(0.13, 0.21, 6))[:48]
    assert interference(plane[..., None], WHOLE[:48]) is None


def test_it_is_removed_and_reported_with_the_noise_of_lines() -> None:
    white, wave = camera(cells(SIDE)), _wave(0.13, 0.21, 6)
    rows = np.random.default_rng(1).normal(0, 4, (SIDE, 1))
    plane = measure_plane((white + wave + rows)[..., None], WHOLE)
    assert plane.structured_yxs is not None
    assert _rms(plane.structured_yxs[..., 0] - wave - rows) < 2.5
    assert plane.noise.sigma == pytest.approx(
        measure_plane(white[..., None], WHOLE).noise.sigma, rel=0.1
    )
