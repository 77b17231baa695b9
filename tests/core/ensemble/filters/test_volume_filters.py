"""Filters of volumes: structure that continues along Z comes back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.ensemble.filters.post_filters import Estimate
from napari_inr_denoise.core.ensemble.filters.volume_filters import (
    STACK_FILTERS,
    VOLUME_FILTERS,
    VolumeFilter,
    VolumePlane,
)
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

SIGMA = 10.0
CPU = torch.device("cpu")
EVERY = pytest.mark.parametrize(
    "apply", VOLUME_FILTERS.values(), ids=list(VOLUME_FILTERS)
)


def _volume(
    truth_zyxs: NDArray[np.float64],
    rng: np.random.Generator,
    *,
    correlated: bool = False,
) -> tuple[list[NoisyPlane], list[Estimate]]:
    """Return noisy planes, and blurred ones as their estimates."""
    noisy = truth_zyxs + rng.normal(0, SIGMA, truth_zyxs.shape)
    model = NoiseModel(SIGMA, correlated, SIGMA)
    whole = np.ones(truth_zyxs.shape[1:3], bool)
    planes = [NoisyPlane(plane, whole, whole, model) for plane in noisy]
    estimates = []
    for plane in noisy:
        blurred = gaussian_filter(plane, (1.2, 1.2, 0)).astype(np.float32)
        own = np.full_like(blurred, 1 / (4 * np.pi * 1.2**2))
        estimates.append(Estimate(blurred, own))
    return planes, estimates


def _all(
    apply: VolumeFilter, planes: list[NoisyPlane], estimates: list[Estimate]
) -> list[Estimate]:
    return [apply(VolumePlane(planes, estimates, k, CPU)) for k in range(len(planes))]


def _error(estimates: list[Estimate], truth: NDArray[np.float64]) -> float:
    found = np.stack([one.plane_yxs for one in estimates])
    return float(np.sqrt(np.mean((found - truth) ** 2)))


def _continuous(depth: int = 5, samples: int = 1) -> NDArray[np.float64]:
    rng = np.random.default_rng(2)
    volume = gaussian_filter(rng.normal(size=(depth, 48, 44)), (2, 1.8, 1.8))
    return 100 + 30 * np.repeat(volume[..., None] / volume.std(), samples, axis=-1)


@pytest.mark.parametrize("name", ["wiener", "ridge"])
def test_structure_that_continues_comes_back(
    name: str, rng: np.random.Generator
) -> None:
    apply, truth = VOLUME_FILTERS[name], _continuous()
    planes, estimates = _volume(truth, rng)
    assert _error(_all(apply, planes, estimates), truth) < 0.97 * _error(
        estimates, truth
    )


def test_filters_in_3d_are_better_than_those_of_stacks(
    rng: np.random.Generator,
) -> None:
    truth = _continuous()
    planes, estimates = _volume(truth, rng)
    errors = []
    for filters in (VOLUME_FILTERS, STACK_FILTERS):
        found = estimates
        for apply in filters.values():
            found = _all(apply, planes, found)
        errors.append(_error(found, truth))
    assert errors[0] < 0.95 * errors[1]


@pytest.mark.parametrize("shape", [(1, 9, 9, 1), (2, 5, 31, 3), (3, 17, 6, 1)])
@EVERY
def test_any_size(
    apply: VolumeFilter, shape: tuple[int, ...], rng: np.random.Generator
) -> None:
    planes, estimates = _volume(np.full(shape, 50.0), rng)
    for found in _all(apply, planes, estimates):
        assert found.plane_yxs.shape == shape[1:]
        assert np.isfinite(found.plane_yxs).all()


@pytest.mark.parametrize("name", ["wiener", "ridge"])
def test_correlated_noise_changes_nothing(name: str, rng: np.random.Generator) -> None:
    apply = VOLUME_FILTERS[name]
    planes, estimates = _volume(_continuous(3), rng, correlated=True)
    for found, before in zip(_all(apply, planes, estimates), estimates, strict=True):
        assert np.array_equal(found.plane_yxs, before.plane_yxs)


def test_pixels_that_do_not_count_are_not_seen(rng: np.random.Generator) -> None:
    planes, estimates = _volume(_continuous(3), rng)
    before = _all(VOLUME_FILTERS["wiener"], planes, estimates)[1].plane_yxs
    planes[0].fitted_yx[10, 10] = False
    planes[0].plane_yxs[10, 10] = estimates[0].plane_yxs[10, 10]
    without = _all(VOLUME_FILTERS["wiener"], planes, estimates)[1].plane_yxs
    planes[0].plane_yxs[10, 10] = 1e6
    after = _all(VOLUME_FILTERS["wiener"], planes, estimates)[1].plane_yxs
    assert np.array_equal(after, without)
    assert not np.array_equal(after, before)
