"""How the noise of one pixel goes with that of the pixels around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

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
        half = [_product(even, quiet, y - reach, x - reach) for y, x in lags]
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
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the residual over its spread at each intensity, and where it is quiet."""
    inside = np.where(counts, residual, 0.0)
    power = uniform_filter(inside**2, _BLOCK)
    edges = np.quantile(predicted[counts], np.linspace(0, 1, _BINS + 1)[1:-1])
    group = np.searchsorted(edges, predicted)
    even, quiet = np.zeros_like(inside), np.zeros_like(counts)
    for number in range(_BINS):
        chosen = (group == number) & counts
        if chosen.any():
            calm = chosen & (power <= np.quantile(power[chosen], _QUIET))
            spread = float(np.sqrt(np.mean(inside[calm] ** 2))) or 1.0
            even[chosen] = inside[chosen] / spread
            quiet |= calm
    return even, quiet


def _product(
    even: NDArray[np.float64], quiet: NDArray[np.bool_], down: int, right: int
) -> float:
    """Return the mean product of quiet pixels that lie so far from each other."""
    height, width = even.shape
    rows = slice(max(down, 0), height + min(down, 0))
    columns = slice(max(right, 0), width + min(right, 0))
    back_rows = slice(max(-down, 0), height + min(-down, 0))
    back_columns = slice(max(-right, 0), width + min(-right, 0))
    both = quiet[rows, columns] & quiet[back_rows, back_columns]
    product = even[rows, columns] * even[back_rows, back_columns]
    return float(product[both].mean()) if both.any() else 0.0
