"""Autocorrelation of the residual: correlation of noise between nearby pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from napari_inr_denoise.core.noise.level.intensity_bins import by_intensity

_BLOCK = 9
"""Side of the squares, in pixels, over which the residual energy is averaged."""
_BINS = 12
"""Number of intensity bins. The standard deviation is computed for each."""
_QUIET_FRACTION = 0.5
"""Fraction of the pixels in each intensity bin that are used: the lowest energy."""
_LEAST_SPREAD = 0.2
"""Least standard deviation of a bin over that of the residual. Where hardly a photon
arrives, the residual is a tiny negative value almost everywhere."""


def residual_correlation(
    residual_yxs: NDArray[np.float64],
    predicted_yxs: NDArray[np.floating],
    counts_yx: NDArray[np.bool_],
    reach: int,
) -> NDArray[np.float64]:
    """Return the autocorrelation of a residual in regions that are mostly noise.

    A residual is the noise plus the prediction error. The error is small where the
    local residual energy is low for the intensity: only these quiet pixels are used.
    Each is divided by the standard deviation in its intensity bin, because noise may
    depend on the signal.

    Parameters
    ----------
    residual_yxs : ndarray, shape (Y, X, samples)
        Noisy minus predicted intensities.
    predicted_yxs : ndarray, shape (Y, X, samples)
        Predicted intensities, by which the pixels are binned.
    counts_yx : ndarray of bool, shape (Y, X)
        Pixels to use.
    reach : int
        Largest lag, in pixels.

    Returns
    -------
    ndarray, shape (2 * reach + 1, 2 * reach + 1)
        Correlation by lag (Y, X); 1 at the centre, symmetric about it.
    """
    size = 2 * reach + 1
    total = np.zeros((size, size))
    for sample in range(residual_yxs.shape[-1]):
        scaled, quiet = _scaled(
            residual_yxs[..., sample], predicted_yxs[..., sample], counts_yx
        )
        # Row by row up to the centre; the other half follows by symmetry.
        lags = list(np.ndindex(size, size))[: size**2 // 2 + 1]
        half = [_mean_product(scaled, quiet, y - reach, x - reach) for y, x in lags]
        total += np.array([*half, *half[-2::-1]]).reshape(size, size)
    centre = total[reach, reach]
    if not centre > 0:
        total = np.zeros((size, size))
        total[reach, reach] = centre = 1.0
    table: NDArray[np.float64] = total / centre
    return table


def _scaled(
    residual: NDArray[np.float64],
    predicted: NDArray[np.floating],
    counts: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the scaled residual of the quiet pixels.

    Returns
    -------
    scaled : ndarray, shape (Y, X)
        Residual over the standard deviation in its intensity bin; 0 elsewhere.
    quiet : ndarray, shape (Y, X)
        1 for quiet pixels, 0 elsewhere.
    """
    inside = np.where(counts, residual, 0.0)
    power = uniform_filter(inside**2, _BLOCK)[counts]
    values = residual[counts]
    scaled, quiet = np.zeros_like(values), np.zeros_like(values)
    least = _LEAST_SPREAD * float(np.sqrt(np.mean(values**2))) if len(values) else 0.0
    for group in by_intensity(predicted[counts], _BINS):
        powers = power[group]
        limit = np.sort(powers)[int(_QUIET_FRACTION * (len(group) - 1))]
        lowest = group[powers <= limit]
        spread = float(np.sqrt(np.mean(values[lowest] ** 2)))
        spread = max(spread, least) or 1.0
        scaled[lowest] = values[lowest] / spread
        quiet[lowest] = 1.0
    return _placed(scaled, counts), _placed(quiet, counts)


def _placed(
    values: NDArray[np.float64], counts: NDArray[np.bool_]
) -> NDArray[np.float64]:
    plane = np.zeros(counts.shape)
    plane[counts] = values
    return plane


def _mean_product(
    scaled: NDArray[np.float64], quiet: NDArray[np.float64], down: int, right: int
) -> float:
    """Return the mean product of the pairs of quiet pixels at one lag."""
    pairs = _sum_of_products(quiet, down, right)
    return _sum_of_products(scaled, down, right) / pairs if pairs else 0.0


def _sum_of_products(plane: NDArray[np.float64], down: int, right: int) -> float:
    """Return the sum of products over all pairs of pixels at one lag."""
    height, width = plane.shape
    rows = slice(max(down, 0), height + min(down, 0))
    columns = slice(max(right, 0), width + min(right, 0))
    back_rows = slice(max(-down, 0), height + min(-down, 0))
    back_columns = slice(max(-right, 0), width + min(-right, 0))
    pair = plane[rows, columns], plane[back_rows, back_columns]
    return float(np.einsum("yx,yx->", *pair))
