"""Noise that neighbouring planes of a stack share, and noise of each plane alone."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d, shift

from napari_inr_denoise.core.noise.correlated.between_planes import (
    independent_distance,
)
from tests.phantoms import Array, tissue

PLANES, SIDE = 12, 64
PHOTONS = 30.0


def _still() -> Array:
    return np.stack([tissue(SIDE)] * PLANES)


def _moving() -> Array:
    large = tissue(2 * SIDE)
    shifts = [(0.7 * k, 0.4 * k) for k in range(PLANES)]
    inside = slice(SIDE // 2, SIDE // 2 + SIDE)
    return np.stack([shift(large, one, order=1)[inside, inside] for one in shifts])


SCENES = {"still": _still, "moving": _moving}


def _mean_of_three(stack: Array) -> Array:
    return np.asarray((stack[:-2] + stack[1:-1] + stack[2:]) / 3)


def _recursive(stack: Array) -> Array:
    found = stack.copy()
    for number in range(1, len(stack)):
        found[number] = (stack[number] + found[number - 1]) / 2
    return found


def _resampled(stack: Array) -> Array:
    between = (stack[1:] + stack[:-1]) / 2
    pairs = [plane for pair in zip(stack, between, strict=False) for plane in pair]
    return np.stack([*pairs, stack[-1]])


def _smoothed(stack: Array) -> Array:
    return np.asarray(gaussian_filter1d(stack, 1.0, axis=0))


def _distance(stack: Array) -> int:
    whole = np.ones(stack.shape[1:], bool)
    return independent_distance((plane[..., None], whole) for plane in stack)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize(
    ("filtered", "expected"),
    [(_mean_of_three, 3), (_recursive, 3), (_resampled, 3), (_smoothed, 3)],
)
def test_shared_noise_is_found(
    scene: str,
    filtered: Callable[[Array], Array],
    expected: int,
    rng: np.random.Generator,
) -> None:
    noisy = filtered(rng.poisson(SCENES[scene]() * PHOTONS + 1.0).astype(float))
    assert abs(_distance(noisy) - expected) <= 1
    assert _distance(noisy) > 1


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("photons", [2.0, 30.0, 1000.0])
def test_noise_of_each_plane_is_independent(
    scene: str, photons: float, rng: np.random.Generator
) -> None:
    assert _distance(rng.poisson(SCENES[scene]() * photons + 0.3).astype(float)) == 1


def test_what_stays_in_place_is_no_shared_noise(rng: np.random.Generator) -> None:
    """A fixed pattern, or fine structure of a sample that does not move."""
    pattern = rng.normal(0, 5, (SIDE, SIDE))
    noisy = rng.poisson(_still() * PHOTONS) + pattern
    assert _distance(noisy) == 1


def test_blank_planes_and_fill_are_left_out(rng: np.random.Generator) -> None:
    noisy = rng.poisson(_moving() * PHOTONS + 1.0).astype(float)
    valid = np.ones(noisy.shape, bool)
    noisy[3], valid[:, :20] = 0.0, False
    noisy[:, :20] = 1e4
    planes = list(zip(noisy[..., None], valid, strict=True))
    assert independent_distance(planes) == 1
    assert independent_distance(planes[:2]) == 1
    assert independent_distance((one[:5], mask[:5]) for one, mask in planes) == 1
    assert independent_distance((one, np.zeros_like(mask)) for one, mask in planes) == 1
