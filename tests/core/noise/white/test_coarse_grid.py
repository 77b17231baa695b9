"""Planes with more pixels than their noise and structure need, on a coarser grid."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.noise.estimate import examine_plane
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.white.coarse_grid import SCALE, coarse_grid
from tests.phantoms import (
    Array,
    camera,
    interpolated,
    spots,
    tissue,
    with_blurred_noise,
)

SIDE = 192
COARSE = round(SCALE * SIDE)


def _clean() -> Array:
    return 60 * tissue(SIDE) + 2


def _problem(plane: Array) -> NoisyPlane:
    plane_yxs = plane if plane.ndim == 3 else plane[..., None]
    return measure_plane(plane_yxs, np.ones(plane.shape[:2], bool))


def _registered() -> tuple[Array, Array]:
    """Return a plane that was moved by half a pixel, without noise and with it."""
    return interpolated(_clean()), interpolated(camera(_clean()))


def test_noise_is_white_on_the_coarse_grid() -> None:
    clean, noisy = _registered()
    grid = coarse_grid(_problem(noisy))
    assert grid is not None
    coarse = grid.problem
    assert coarse.plane_yxs.shape == (COARSE, COARSE, 1)
    assert not coarse.noise.correlated
    assert coarse.fitted_yx.all()
    assert coarse.spacing_yx == (SIDE / COARSE, SIDE / COARSE)
    assert coarse.plane_yxs.mean() == pytest.approx(noisy.mean())
    noise = grid.restored(coarse.plane_yxs)[..., 0] - clean
    assert coarse.noise.sigma == pytest.approx(noise.std(), rel=0.15)
    assert 0 < grid.told < 0.4


def test_a_little_of_the_noise_may_be_correlated_there_too() -> None:
    """A spectrum that tells white from correlated noise must not decide again."""
    rng = np.random.default_rng(0)
    noise = gaussian_filter(rng.standard_normal((256, 256)), 0.6)
    clean = 300 * gaussian_filter(rng.standard_normal((256, 256)), 8) + 60
    grid = coarse_grid(_problem(clean + 8 * noise / noise.std()))
    assert grid is not None
    assert examine_plane(grid.problem.plane_yxs, grid.problem.valid_yx)[0].correlated
    assert not grid.problem.noise.correlated
    assert grid.told > 0


def test_samples_share_a_grid() -> None:
    noisy = np.stack([interpolated(camera(_clean(), seed)) for seed in (1, 2)], -1)
    grid = coarse_grid(_problem(noisy))
    assert grid is not None
    assert grid.problem.plane_yxs.shape == (COARSE, COARSE, 2)
    assert grid.restored(grid.problem.plane_yxs).shape == noisy.shape


def test_values_that_are_missing_are_filled_in() -> None:
    _, noisy = _registered()
    noisy[90:93, 40:43] = np.nan
    problem = measure_plane(np.nan_to_num(noisy)[..., None], np.isfinite(noisy))
    grid = coarse_grid(problem)
    assert grid is not None
    filled = grid.restored(grid.problem.plane_yxs)[90:93, 40:43]
    around = np.nanmean(noisy[86:97, 36:47])
    assert filled.mean() == pytest.approx(around, rel=0.3)


@pytest.mark.parametrize(
    "plane",
    [
        camera(_clean()),
        interpolated(camera(_clean()))[:128, :128],
        with_blurred_noise(_clean(), 1.0),
        interpolated(camera(spots(SIDE))),
    ],
    ids=["white", "small", "not white there either", "sharp"],
)
def test_other_planes_stay_as_they_are(plane: Array) -> None:
    assert coarse_grid(_problem(plane)) is None


def test_much_that_is_missing_stays_missing() -> None:
    _, noisy = _registered()
    valid = np.ones(noisy.shape, bool)
    valid[:, :8] = False
    assert coarse_grid(measure_plane(noisy[..., None], valid)) is None
