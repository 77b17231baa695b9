"""Stacks that were registered: the noise of each plane has a spectrum of its own."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import shift

from napari_inr_denoise.core.sampling.stack.own_spectrum import (
    OwnSpectrum,
    levels_differ,
)
from napari_inr_denoise.core.sampling.stack.parts import Values
from napari_inr_denoise.core.sampling.stack.series import Series
from napari_inr_denoise.core.sampling.stack.shared_noise import SharedNoise
from napari_inr_denoise.image.tiling import Tiling
from tests.phantoms import SIDE, Array, cells

CLEAN = cells() + 10
MOVES = (0.5, 0.1, 0.45, 0.05, 0.5, 0.25)
"""Parts of a pixel by which the planes were moved along rows and columns."""
VALID = np.ones((SIDE, SIDE), bool)


def _moved(plane: Array, by: float) -> Array:
    return np.asarray(shift(plane, (by, by), order=1, mode="nearest"))


@pytest.fixture(scope="module")
def registered() -> tuple[list[Values], list[float]]:
    """Return the planes, and the true level of the noise of each."""
    rng = np.random.default_rng(4)
    found, levels = [], []
    for by in MOVES:
        clean, noisy = _moved(CLEAN, by), _moved(rng.poisson(CLEAN).astype(float), by)
        found.append((noisy[..., None], VALID))
        levels.append(float((noisy - clean).std()))
    return found, levels


def test_each_plane_has_its_own_level(
    registered: tuple[list[Values], list[float]],
) -> None:
    planes, levels = registered
    noise = SharedNoise.of(planes)
    assert noise.model.correlated
    found = [OwnSpectrum.of(noise, [plane]) for plane in planes]
    assert levels_differ(found)
    for own, plane, level in zip(found, planes, levels, strict=True):
        assert own is not None
        assert own.is_near
        model = own.noise.on(*plane)
        assert model.sigma == pytest.approx(level, rel=0.12)
        assert model.correlation_distance == noise.model.correlation_distance


def test_planes_of_one_level_do_not_differ() -> None:
    rng = np.random.default_rng(4)
    planes = [
        (_moved(rng.poisson(CLEAN).astype(float), 0.5)[..., None], VALID)
        for _ in range(4)
    ]
    noise = SharedNoise.of(planes)
    assert not levels_differ([OwnSpectrum.of(noise, [plane]) for plane in planes])


def test_registered_planes_are_denoised_together(
    registered: tuple[list[Values], list[float]],
) -> None:
    planes, levels = registered

    def read(number: int, window: tuple[slice, slice]) -> Values:
        values, valid = planes[number]
        return values[window], valid[window]

    tiles = Tiling.of((SIDE, SIDE), 1024)
    series = Series(read, len(planes), tiles, (1.0, 1.0), 1)
    series.even_out()
    for number, level in enumerate(levels):
        assert series.context_numbers(number)
        problem = series.problem(number, tiles.tiles[0])
        assert problem.noise.sigma == pytest.approx(level, rel=0.12)


def test_a_plane_of_far_more_noise_is_not_near(
    registered: tuple[list[Values], list[float]],
) -> None:
    planes, _ = registered
    noise, (values, _) = SharedNoise.of(planes), planes[0]
    clean = _moved(CLEAN, MOVES[0])[..., None]
    own = OwnSpectrum.of(noise, [(clean + 5 * (values - clean), VALID)])
    assert own is not None
    assert not own.is_near


def test_too_few_pixels_have_no_spectrum(
    registered: tuple[list[Values], list[float]],
) -> None:
    planes, _ = registered
    noise, (values, valid) = SharedNoise.of(planes), planes[0]
    assert OwnSpectrum.of(noise, [(values[:10], valid[:10])]) is None
