"""Hot and dead pixels: single pixels that stand far out of all their neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_FAR_SIGMAS = 6.0
_FAR_SPREADS = 3.0
"""Through a lens no single pixel is far from all eight neighbours.

At the centre of the sharpest spot that a camera samples (a Gaussian of 0.8 pixels) the
distance to the next brightest neighbour is 2.2 times the spread of the neighbours.
"""


def isolated_pixels(
    plane_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_], sigma: float
) -> NDArray[np.bool_]:
    """Return which pixels are hot or dead.

    A pixel is if, in any sample, it lies above all of its eight neighbours, or below
    all of them, by more than 6 times the noise level and by more than 3 times the
    difference between its highest and lowest neighbour. Left in the fit, a few of
    them keep the residual above the noise level for ever.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        Intensities.
    valid_yx : ndarray of bool, shape (Y, X)
        Invalid neighbours don't count; an invalid pixel is never isolated.
    sigma : float
        Noise level in the same units.

    Returns
    -------
    ndarray of bool, shape (Y, X)
        Nothing where the plane is narrower than 3 pixels.
    """
    height, width, _ = plane_yxs.shape
    if min(height, width) < 3:
        return np.zeros((height, width), dtype=bool)
    masked = np.where(valid_yx[..., None], plane_yxs, np.nan)
    padded = np.pad(masked, ((1, 1), (1, 1), (0, 0)), constant_values=np.nan)
    highest = np.full_like(plane_yxs, -np.inf)
    lowest = np.full_like(plane_yxs, np.inf)
    for row in range(3):
        for column in range(3):
            if (row, column) != (1, 1):
                beside = padded[row : row + height, column : column + width]
                np.fmax(highest, beside, out=highest)
                np.fmin(lowest, beside, out=lowest)
    limit = np.maximum(_FAR_SIGMAS * sigma, _FAR_SPREADS * (highest - lowest))
    outside = np.maximum(plane_yxs - highest, lowest - plane_yxs)
    # Without any valid neighbour the distance is infinite, and nothing can be said.
    far = (outside > limit) & np.isfinite(outside)
    return np.asarray(far.any(axis=-1) & valid_yx)
