"""Noise at the highest frequencies tells texture from correlated noise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import (
    gaussian_filter,
    rotate,
    shift,
    uniform_filter,
    uniform_filter1d,
    zoom,
)

from napari_inr_denoise import estimate_noise
from napari_inr_denoise.core.noise.correlated.highest_frequencies import (
    HighestFrequencies,
    measure_highest,
)
from tests.phantoms import camera, cells, deconvolved

Plane = NDArray[np.float64]


def texture(side: int = 128, blur: float = 1.2, seed: int = 0) -> Plane:
    """Return fine structure that is everywhere, of standard deviation 1."""
    plane = gaussian_filter(np.random.default_rng(seed).normal(size=(side, side)), blur)
    return plane / plane.std()


def highest(plane: Plane) -> HighestFrequencies:
    found = measure_highest(plane, np.ones(plane.shape, dtype=np.bool_))
    assert found is not None
    return found


@pytest.mark.parametrize("blur", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("contrast", [5.0, 20.0])
def test_texture_is_not_taken_for_noise(blur: float, contrast: float) -> None:
    noise = np.random.default_rng(1).normal(0, 1, (128, 128))
    plane = contrast * texture(blur=blur) + noise
    model = estimate_noise(plane)
    assert not model.correlated
    assert model.sigma == pytest.approx(1, rel=0.35)
    found = highest(plane)
    assert found.sigma == pytest.approx(1, rel=0.1)
    assert found.is_white(10.0)


CHANGES: dict[str, Callable[[Plane], Plane]] = {
    "turned": lambda plane: rotate(plane, 9, order=1, reshape=False)[16:-16, 16:-16],
    "shifted": lambda plane: shift(plane, (0.3, 0.4), order=1)[1:-1, 1:-1],
    "blurred": lambda plane: gaussian_filter(plane, 0.6),
    "enlarged": lambda plane: zoom(plane[:64, :64], 2, order=1),
    "averaged": lambda plane: (plane + np.roll(plane, 1, 0)) / 2,
    "smoothed by 3x3": lambda plane: uniform_filter(plane, 3),
    "three lines": lambda plane: uniform_filter1d(plane, 3, axis=0),
    "corner of three": lambda plane: plane[1:, 1:] + plane[:-1, 1:] + plane[1:, :-1],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("rounded", [False, True])
def test_noise_that_was_changed_stays_correlated(
    change: Callable[[Plane], Plane], rounded: bool
) -> None:
    random = np.random.default_rng(2)
    plane = change(
        random.poisson(40 * np.tile(cells(), (2, 2))[:128, :128] + 4.0) * 1.0
    )
    plane = np.rint(plane) if rounded else plane
    model = estimate_noise(plane)
    assert model.correlated
    found = measure_highest(plane, np.ones(plane.shape, dtype=np.bool_))
    assert found is None or not found.is_white(model.sigma)


def test_rounding_is_not_taken_for_noise() -> None:
    blurred = gaussian_filter(20 * texture(blur=2.0), 1.0)
    assert (
        measure_highest(np.rint(blurred), np.ones((128, 128), dtype=np.bool_)) is None
    )


def test_texture_in_quiet_patches_does_not_raise_the_level() -> None:
    random = np.random.default_rng(3)
    spots = gaussian_filter((random.random((128, 128)) < 0.1) * 1.0, 1.2)
    truth = 300 * spots / spots.max() + 20
    noisy = truth + random.normal(0, 5, truth.shape)
    assert estimate_noise(noisy).sigma < 1.4 * 5


def test_what_cannot_be_measured_is_none() -> None:
    noise = np.random.default_rng(4).normal(size=(64, 64))
    valid = np.ones(noise.shape, dtype=np.bool_)
    assert measure_highest(noise, valid) is not None
    assert measure_highest(noise[:31], valid[:31]) is None
    valid[::20] = False
    assert measure_highest(noise, valid) is None
    assert (
        measure_highest(np.zeros((64, 64)), np.ones((64, 64), dtype=np.bool_)) is None
    )


@pytest.mark.parametrize("change", ["float32", "cut off", "rounded"])
def test_what_is_done_after_a_filter_does_not_make_noise_white(change: str) -> None:
    """The highest frequencies have nothing but what rounding or a cut leave there."""
    clean = cells() + 5
    noisy, truth = (
        deconvolved(camera(clean), 0.25, 0.13),
        deconvolved(clean, 0.25, 0.13),
    )
    changed = {
        "float32": noisy.astype(np.float32),
        "cut off": np.maximum(noisy, 0),
        "rounded": np.round(noisy * 20) / 20,
    }[change]
    model = estimate_noise(changed)
    assert model.correlated
    assert model.sigma == pytest.approx((noisy - truth).std(), rel=0.25)
