from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from napari_inr_denoise.samples import (
    READ_NOISE,
    Sample,
    field_of_cells,
    small_stack,
    time_lapse,
)


@pytest.mark.parametrize("make", [field_of_cells, small_stack, time_lapse])
def test_the_noise_is_photon_noise_and_read_noise(make: Callable[..., Sample]) -> None:
    sample = make()
    assert sample.noisy.shape == sample.truth.shape
    assert sample.noisy.ndim == len(sample.axes)
    error = sample.noisy - sample.truth.astype(float)
    signal = sample.truth - 100.0
    expected = signal + READ_NOISE**2 + 1 / 12
    assert np.mean(error**2) == pytest.approx(expected.mean(), rel=0.03)
    assert error.mean() == pytest.approx(0, abs=0.05)
    bright = signal > 0.5 * signal.max()
    assert np.var(error[bright]) > 2 * np.var(error[~bright])


def test_a_seed_decides_everything() -> None:
    first, again, other = (field_of_cells(64, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.noisy, again.noisy)
    assert not np.array_equal(first.noisy, other.noisy)


def test_the_time_lapse_bleaches_and_moves() -> None:
    truth = time_lapse().truth.astype(float) - 100
    means = truth.mean(axis=(1, 2))
    assert means[-1] < 0.8 * means[0]
    assert np.corrcoef(truth[0].ravel(), truth[-1].ravel())[0, 1] < 0.98
