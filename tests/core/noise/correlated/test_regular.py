"""Tests of structure that far pixels tell, and of noise that they do not."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.noise.correlated.regular import regular_structure
from napari_inr_denoise.core.noise.estimate import plane_noise
from napari_inr_denoise.core.noise.model import NoiseModel
from tests.phantoms import Array, cells, line_averaged

SIDE = 128


def _stripes(period: float, degrees: float = 45.0, side: int = SIDE) -> Array:
    y, x = np.mgrid[:side, :side]
    angle = np.deg2rad(degrees)
    along = y * np.sin(angle) + x * np.cos(angle)
    return np.asarray(100 + 30 * np.sin(2 * np.pi * along / period))


def _rings(period: float) -> Array:
    y, x = np.mgrid[:SIDE, :SIDE]
    distance = np.hypot(y - 0.4 * SIDE, x - 0.55 * SIDE)
    return np.asarray(100 + 30 * np.sin(2 * np.pi * distance / period))


def _waves(period: float) -> Array:
    y, x = 2 * np.pi * np.mgrid[:SIDE, :SIDE] / period
    return np.asarray(100 + 30 * np.sin(x + 1) * np.sin(0.8 * y))


def _model(plane: Array) -> NoiseModel:
    return plane_noise(plane[..., None], np.ones(plane.shape, bool))


def _noise(sigma: float, filtered: Callable[[Array], Array], side: int) -> Array:
    noise = filtered(np.random.default_rng(side).normal(size=(side, side)))
    return np.asarray(noise * (sigma / noise.std()))


def _blurred(plane: Array) -> Array:
    return np.asarray(gaussian_filter(plane, 1.0))


def _demosaicked(plane: Array) -> Array:
    """Every second pixel is the mean of the four beside it."""
    beside = sum(np.roll(plane, shift, axis) for shift in (1, -1) for axis in (0, 1))
    missing = np.indices(plane.shape).sum(axis=0) % 2 == 1
    return np.where(missing, beside / 4, plane)


@pytest.mark.parametrize(
    ("clean", "sigma"),
    [
        (_stripes(6.3, 30.0), 1.0),
        (_stripes(8), 1.0),
        (_stripes(12, 17.0), 0.5),
        (_rings(10), 1.0),
        (_waves(25), 0.03),
    ],
)
def test_regular_structure_is_not_correlated_noise(clean: Array, sigma: float) -> None:
    """Without the prediction, its contrast is told: 9 to 115 times the noise."""
    noisy = clean + np.random.default_rng(3).normal(0, sigma, clean.shape)
    model = _model(noisy)
    assert not model.correlated
    assert model.sigma == pytest.approx(sigma, rel=0.1)


@pytest.mark.parametrize("filtered", [_blurred, line_averaged, _demosaicked])
@pytest.mark.parametrize("side", [64, 128])
def test_correlated_noise_on_stripes_is_found(
    filtered: Callable[[Array], Array], side: int
) -> None:
    """Without the prediction, the stripes raise its level by 1.8 to 2.3."""
    model = _model(_stripes(12, 27.0, side) + _noise(4.0, filtered, side))
    assert model.correlated
    assert model.sigma == pytest.approx(4.0, rel=0.12)


@pytest.mark.parametrize("filtered", [_blurred, line_averaged, _demosaicked])
@pytest.mark.parametrize("side", [64, 96, 160])
@pytest.mark.parametrize("contrast", [0.0, 1.0])
def test_nothing_far_tells_noise(
    filtered: Callable[[Array], Array], side: int, contrast: float
) -> None:
    """A variance that is right is accepted, one that is 1.5 times as large is not."""
    plane = contrast * cells(side) + _noise(5.0, filtered, side)
    valid = np.ones(plane.shape, bool)
    assert regular_structure(plane, valid, np.full(plane.shape, 25.0)) is None
    if contrast == 0:
        more = np.full(plane.shape, 1.6 * 25.0)
        assert regular_structure(plane, valid, more) is not None


def test_the_prediction_is_the_structure() -> None:
    clean = _stripes(9, 30.0)
    noisy = clean + np.random.default_rng(5).normal(0, 1.0, clean.shape)
    valid = np.ones(clean.shape, bool)
    valid[40:50, 60:64] = False
    found = regular_structure(noisy, valid, np.full(clean.shape, 400.0))
    assert found is not None
    structure, known = found
    assert not known[40:50, 60:64].any()
    assert not known[0].any()
    away = np.delete(structure - clean, np.s_[25:70], axis=0)
    inside = np.delete(known, np.s_[25:70], axis=0)
    assert away[inside].std() < 0.5


def test_small_planes_are_not_predicted() -> None:
    plane = _stripes(6, side=36)
    valid = np.ones(plane.shape, bool)
    assert regular_structure(plane, valid, np.full(plane.shape, 1e6)) is None
