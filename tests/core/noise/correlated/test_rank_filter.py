"""Tests of the sign that a rank filter leaves."""

import numpy as np
import pytest
from scipy.ndimage import grey_opening, median_filter

from napari_inr_denoise.core.noise.correlated.rank_filter import rank_filtered
from tests.phantoms import Array, camera, interpolated, tissue


def _clean(side: int = 64) -> Array:
    return tissue(side) * 60 + 5


def _found(plane: Array) -> bool:
    return rank_filtered(plane, np.ones(plane.shape, bool))


@pytest.mark.parametrize("step", [0, 1], ids=["continuous", "whole counts"])
def test_medians_and_openings_are_seen(step: float) -> None:
    noisy = camera(_clean())
    if step:
        noisy = np.round(4 * noisy)
    for filtered in (median_filter(noisy, 3), median_filter(noisy, 5)):
        assert _found(filtered)
    assert _found(grey_opening(noisy, 3))
    assert not _found(noisy)
    assert not _found(interpolated(noisy))


def test_values_that_are_cut_off_or_rounded_are_no_sign() -> None:
    noisy = camera(_clean())
    assert not _found(np.clip(noisy, 8, 40))
    assert not _found(np.maximum(np.round(noisy), 8) - (np.arange(64) == 5))
    assert not _found(np.round(noisy / 4))  # noise of one grey level


@pytest.mark.parametrize("photons", [5, 20, 40])
def test_few_photons_are_no_sign_whatever_the_gain(photons: float) -> None:
    """In dark places many neighbours are equal, in bright ones few."""
    mean = tissue(96) * photons + 0.5
    assert not _found(np.random.default_rng(1).poisson(mean) * 4.0)


def test_planes_with_nothing_to_compare_are_no_sign() -> None:
    assert not _found(np.zeros((8, 8)))
    assert not _found(np.eye(8))
    assert not _found(np.arange(9.0).reshape(3, 3))
    assert not rank_filtered(camera(_clean()), np.zeros((64, 64), bool))
