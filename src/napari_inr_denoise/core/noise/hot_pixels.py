"""Detect hot and dead pixels: single pixels or pairs far outside their neighbours."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.level_function import NoiseLevelFunction
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_FAR_SIGMAS = 6.0
_FAR_SPREADS = 3.0
"""Thresholds, in noise standard deviations and in ranges of the neighbours.

Optical blur keeps every real pixel near its neighbours. At the centre of the sharpest
spot that a camera samples (a Gaussian with a standard deviation of 0.8 pixels), the
difference to the brightest neighbours is 2.2 times the range of the eight neighbours.
Where two pixels share the centre, it is 1.5 times the range of the other seven.
"""


def isolated_pixels(problem: NoisyPlane) -> NDArray[np.bool_]:
    """Return the mask of hot and dead pixels.

    A pixel is hot or dead if, in any sample, it is above or below at least seven of its
    eight neighbours, by more than 6 noise standard deviations of the brighter side and
    by more than 3 times the range of these neighbours. The eighth may be defective too.
    If such pixels are fitted, a few of them keep the residual above the noise level.

    Parameters
    ----------
    problem : NoisyPlane
        The plane, its valid pixels and its noise; `fitted_yx` is ignored.

    Returns
    -------
    ndarray of bool, shape (Y, X)
        False at invalid pixels, and everywhere if a side is below 3 pixels.
    """
    found_yx = np.zeros(problem.valid_yx.shape, dtype=np.bool_)
    if min(found_yx.shape) < 3:
        return found_yx
    for sample in range(problem.plane_yxs.shape[-1]):
        values = np.where(problem.valid_yx, problem.plane_yxs[..., sample], np.nan)
        rows, columns = _candidates(values, problem.curve(sample))
        defective = _defective(values, rows, columns, problem.curve(sample))
        found_yx[rows[defective], columns[defective]] = True
    return found_yx


def _candidates(
    values_yx: NDArray[np.float64], curve: NoiseLevelFunction
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return rows and columns of the pixels that may be hot or dead: usually few.

    A defective pixel is beyond at least seven neighbours. It is therefore beyond the
    left or the right one, and beyond the upper or the lower one.
    """
    least = _FAR_SIGMAS * math.sqrt(curve.least)
    # A missing neighbour (NaN) sets no condition.
    padded = np.pad(values_yx, 1, constant_values=np.nan)
    left, right = padded[1:-1, :-2], padded[1:-1, 2:]
    above, below = padded[:-2, 1:-1], padded[2:, 1:-1]
    low = np.fmax(np.minimum(left, right), np.minimum(above, below))
    high = np.fmin(np.maximum(left, right), np.maximum(above, below))
    inside = (values_yx - low <= least) & (high - values_yx <= least)
    rows, columns = np.nonzero(~inside & np.isfinite(values_yx))
    return rows, columns


def _defective(
    values_yx: NDArray[np.float64],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    curve: NoiseLevelFunction,
) -> NDArray[np.bool_]:
    """Return which of the given pixels are hot or dead; invalid values are NaN."""
    own = values_yx[rows, columns]
    padded = np.pad(values_yx, 1, constant_values=np.nan)
    around = [
        padded[rows + down, columns + right]
        for down, right in np.ndindex(3, 3)
        if (down, right) != (1, 1)
    ]
    neighbours = np.sort(np.stack(around), axis=0)  # NaN comes last
    lowest, highest = np.fmin.reduce(neighbours), np.fmax.reduce(neighbours)
    # The end of a thin line at the image edge has only one similar neighbour. Without
    # all eight neighbours the pixel must therefore be beyond every one that is left.
    missing = np.isnan(neighbours[-1])
    below = np.where(missing, lowest, neighbours[1])
    above = np.where(missing, highest, neighbours[-2])
    # Without any neighbour the limits are NaN, and comparisons with NaN are False.
    hot = _beyond(own, above, above - lowest, curve)
    dead = _beyond(below, own, highest - below, curve)
    return hot | dead


def _beyond(
    brighter: NDArray[np.float64],
    darker: NDArray[np.float64],
    spread: NDArray[np.float64],
    curve: NoiseLevelFunction,
) -> NDArray[np.bool_]:
    sigma = np.sqrt(curve.variance(brighter))
    limit = np.maximum(_FAR_SIGMAS * sigma, _FAR_SPREADS * spread)
    return np.asarray(brighter - darker > limit)
