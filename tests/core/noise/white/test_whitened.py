"""Tests of which transform makes the noise of a plane white."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.white.flat_spectrum import flat_spectrum
from napari_inr_denoise.core.noise.white.lattice import follows_lattice
from napari_inr_denoise.core.noise.white.whitened import whitened
from tests.phantoms import Array, camera, deconvolved, demosaicked, enlarged, tissue

Transform = Callable[[Array], Array]


def _noisy(side: int = 128) -> Array:
    return camera(60 * tissue(side) + 2)


def _problem(plane: Array) -> NoisyPlane:
    return measure_plane(plane[..., None], np.ones(plane.shape, bool))


def _blurred(plane: Array) -> Array:
    return np.asarray(gaussian_filter(plane, 1.0))


@pytest.mark.parametrize("transform", [deconvolved, _blurred])
@pytest.mark.parametrize("side", [128, 192])
def test_a_filter_is_taken_back(transform: Transform, side: int) -> None:
    white = whitened(_problem(transform(_noisy(side))))
    assert white is not None
    assert white.amplitude_yxs is not None


def test_a_coarse_grid_is_enough_for_an_enlarged_plane() -> None:
    problem = _problem(enlarged(_noisy(96)))
    white = whitened(problem)
    assert white is not None
    assert white.amplitude_yxs is None
    assert white.problem.plane_yxs.size < 0.25 * problem.plane_yxs.size


@pytest.mark.parametrize(
    "transform",
    [demosaicked, lambda a: enlarged(a[:64, :64], 1)],
    ids=["colours", "2x"],
)
def test_planes_whose_noise_follows_a_lattice_stay(transform: object) -> None:
    """Their noise is uneven: no filter makes it white."""
    assert callable(transform)
    problem = _problem(transform(_noisy()))
    assert problem.noise.correlated
    flat = flat_spectrum(problem)
    assert flat is not None
    assert follows_lattice(flat.problem.plane_yxs)
    assert whitened(problem) is None


@pytest.mark.parametrize("side", [48, 128, 300])
def test_even_noise_has_no_lattice(side: int, rng: np.random.Generator) -> None:
    assert not follows_lattice(rng.normal(size=(side, side, 2)))
    assert not follows_lattice(_noisy(side)[..., None])
    assert not follows_lattice(np.zeros((side, side, 1)))
