"""How the noise of one pixel goes with that of the pixels around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from napari_inr_denoise.core.noise.intensity_bins import by_intensity

_BLOCK = 9
"""Side of the squares, in pixels, in which a residual is called quiet or not."""
_BINS = 12
"""Groups of rising intensity; in each the spread is taken by itself."""
_QUIET = 0.5
"""Share of the pixels, at each intensity, whose residual is the least."""


def residual_correlation(
    residual_yxs: NDArray[np.float64],
    predicted_yxs: NDArray[np.floating],
    counts_yx: NDArray[np.bool_],
    reach: int,
) -> NDArray[np.float64]:
    """Return the autocorrelation of a residual where it holds little but noise.

    A residual is noise and error of the prediction. Where the surroundings are quiet
    for their intensity the error is small. Each pixel is divided by the spread of its
    intensity, for noise that grows with the signal.

    Parameters
    ----------
    residual_yxs : ndarray, shape (Y, X, samples)
        Noisy less predicted.
    predicted_yxs : ndarray, shape (Y, X, samples)
        What the pixels are grouped by.
    counts_yx : ndarray of bool, shape (Y, X)
        Pixels that count.
    reach : int
        Largest lag, in pixels.

    Returns
    -------
    ndarray, shape (2 * reach + 1, 2 * reach + 1)
        1 at the centre, and the same under a half turn.
    """
    size = 2 * reach + 1
    total = np.zeros((size, size))
    for sample in range(residual_yxs.shape[-1]):
        even, quiet = _even(
            residual_yxs[..., sample], predicted_yxs[..., sample], counts_yx
        )
        # Row by row up to the centre; the other half is the same under a half turn.
        lags = list(np.ndindex(size, size))[: size**2 // 2 + 1]
        half = [_mean_product(even, quiet, y - reach, x - reach) for y, x in lags]
        total += np.array([*half, *half[-2::-1]]).reshape(size, size)
    centre = total[reach, reach]
    if not centre > 0:
        total = np.zeros((size, size))
        total[reach, reach] = centre = 1.0
    table: NDArray[np.float64] = total / centre
    return table


def _even(
    residual: NDArray[np.float64],
    predicted: NDArray[np.floating],
    counts: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the residual over its spread at each intensity where it is quiet.

    Returns
    -------
    even : ndarray, shape (Y, X)
        0 elsewhere.
    quiet : ndarray, shape (Y, X)
        1 where it is quiet, 0 elsewhere.
    """
    inside = np.where(counts, residual, 0.0)
    power = uniform_filter(inside**2, _BLOCK)[counts]
    values = residual[counts]
    even, quiet = np.zeros_like(values), np.zeros_like(values)
    for group in by_intensity(predicted[counts], _BINS):
        powers = power[group]
        limit = np.sort(powers)[int(_QUIET * (len(group) - 1))]
        calm = group[powers <= limit]
        spread = float(np.sqrt(np.mean(values[calm] ** 2))) or 1.0
        even[calm] = values[calm] / spread
        quiet[calm] = 1.0
    return _placed(even, counts), _placed(quiet, counts)


def _placed(
    values: NDArray[np.float64], counts: NDArray[np.bool_]
) -> NDArray[np.float64]:
    plane = np.zeros(counts.shape)
    plane[counts] = values
    return plane


def _mean_product(
    even: NDArray[np.float64], quiet: NDArray[np.float64], down: int, right: int
) -> float:
    """Return the mean product of quiet pixels that lie so far from each other."""
    pairs = _sum_of_products(quiet, down, right)
    return _sum_of_products(even, down, right) / pairs if pairs else 0.0


def _sum_of_products(plane: NDArray[np.float64], down: int, right: int) -> float:
    """Return the sum over all pairs of pixels that lie so far from each other."""
    height, width = plane.shape
    rows = slice(max(down, 0), height + min(down, 0))
    columns = slice(max(right, 0), width + min(right, 0))
    back_rows = slice(max(-down, 0), height + min(-down, 0))
    back_columns = slice(max(-right, 0), width + min(-right, 0))
    pair = plane[rows, columns], plane[back_rows, back_columns]
    return float(np.einsum("yx,yx->", *pair))
