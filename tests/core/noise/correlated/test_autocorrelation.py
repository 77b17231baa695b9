from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import convolve
from scipy.signal import correlate2d

from napari_inr_denoise.core.noise.correlated.autocorrelation import (
    residual_correlation,
)

SIDE = 192
REACH = 3
BINOMIAL = np.outer([1, 2, 1], [1, 2, 1]) / 16
TWO = np.ones((2, 2)) / 4
LINES = np.array([[1.0, 1.0, 1.0]]) / 3
NEAR = 0.1
"""The quieter half of the image holds less of the slow part: lags come out lower."""


def _predicted() -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    return (60 + 50 * np.sin(5 * x + 3 * y))[..., None]


def _analytic(kernel: np.ndarray) -> np.ndarray:
    """Return the autocorrelation of white noise convolved with a kernel."""
    full = correlate2d(kernel, kernel)
    wide = np.zeros((2 * REACH + 1, 2 * REACH + 1))
    down, right = (size // 2 for size in full.shape)
    rows = slice(REACH - down, REACH + down + 1)
    wide[rows, REACH - right : REACH + right + 1] = full
    return wide / full.max()


def _blurred(kernel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return convolve(rng.normal(0, 1, (SIDE, SIDE)), kernel)[..., None]


def _table(residual: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    whole = np.ones((SIDE, SIDE), bool)
    counted = whole if counts is None else counts
    return residual_correlation(residual, _predicted(), counted, REACH)


@pytest.mark.parametrize("kernel", [BINOMIAL, TWO, LINES])
def test_blurred_noise_has_the_autocorrelation_of_the_blur(
    kernel: np.ndarray, rng: np.random.Generator
) -> None:
    table = _table(_blurred(kernel, rng))
    np.testing.assert_allclose(table, _analytic(kernel), atol=NEAR)


def test_noise_that_grows_with_the_signal_has_the_same(
    rng: np.random.Generator,
) -> None:
    residual = _blurred(BINOMIAL, rng) * np.sqrt(_predicted())
    np.testing.assert_allclose(_table(residual), _analytic(BINOMIAL), atol=NEAR)


def test_white_noise_has_none(rng: np.random.Generator) -> None:
    table = _table(rng.normal(0, 9, (SIDE, SIDE, 1)))
    table[REACH, REACH] -= 1
    np.testing.assert_allclose(table, 0, atol=0.03)


def test_it_is_one_at_the_centre_and_the_same_under_a_half_turn(
    rng: np.random.Generator,
) -> None:
    slanted = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.2], [0.0, 0.0, 0.3]])
    table = _table(_blurred(slanted, rng))
    assert table.shape == (2 * REACH + 1, 2 * REACH + 1)
    assert table[REACH, REACH] == 1
    np.testing.assert_allclose(table, table[::-1, ::-1], rtol=1e-12)
    assert not np.allclose(table, table.T, atol=0.05)


def test_structure_that_was_missed_in_places_hardly_matters(
    rng: np.random.Generator,
) -> None:
    residual = rng.normal(0, 1, (SIDE, SIDE, 1))
    residual[60:100, 60:100] += 10  # a whole square is wrong by 10 sigma
    table = _table(residual)
    assert abs(table[REACH, REACH + 1]) < 0.05


def test_pixels_that_do_not_count_are_left_out(rng: np.random.Generator) -> None:
    residual = _blurred(TWO, rng)
    counts = np.ones((SIDE, SIDE), bool)
    counts[20:50, 20:90] = False
    tables = []
    for bad in (0.0, 1e6):
        spoilt = residual.copy()
        spoilt[~counts] = bad
        tables.append(_table(spoilt, counts))
    np.testing.assert_array_equal(tables[0], tables[1])
    np.testing.assert_allclose(tables[0], _analytic(TWO), atol=NEAR)


def test_the_samples_are_averaged(rng: np.random.Generator) -> None:
    both = np.concatenate([_blurred(TWO, rng), _blurred(LINES, rng)], axis=-1)
    predicted = np.concatenate([_predicted()] * 2, axis=-1)
    whole = np.ones((SIDE, SIDE), bool)
    table = residual_correlation(both, predicted, whole, REACH)
    wanted = (_analytic(TWO) + _analytic(LINES)) / 2
    np.testing.assert_allclose(table, wanted, atol=NEAR)


def test_no_residual_is_white() -> None:
    table = _table(np.zeros((SIDE, SIDE, 1)))
    assert table[REACH, REACH] == 1
    assert table.sum() == 1
