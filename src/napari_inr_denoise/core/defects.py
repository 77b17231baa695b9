"""Hot and dead pixels: single pixels, or pairs, far out of all others around them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.problem import FitProblem

_FAR_SIGMAS = 6.0
_FAR_SPREADS = 3.0
"""Through a lens no pixel is far from all eight neighbours, or from seven of them.

At the centre of the sharpest spot that a camera samples (a Gaussian of 0.8 pixels) the
distance to the next brightest neighbours is 2.2 times the spread of the neighbours; of
two pixels that share its centre, 1.5 times that of the other seven.
"""


def isolated_pixels(problem: FitProblem) -> NDArray[np.bool_]:
    """Return which pixels are hot or dead.

    A pixel is if, in any sample, it lies above all of its eight neighbours but one, or
    below all of them but one, by more than 6 times the noise of the brighter side and
    by more than 3 times the spread of these neighbours. The one may be defective too.
    Left in the fit, a few such pixels keep the residual above the noise level for ever.

    Parameters
    ----------
    problem : FitProblem
        The plane, its valid pixels and its noise; what is fitted doesn't matter.

    Returns
    -------
    ndarray of bool, shape (Y, X)
        Never an invalid pixel. Nothing where the plane is narrower than 3 pixels.
    """
    plane_yxs, valid_yx = problem.plane_yxs, problem.valid_yx
    height, width, _ = plane_yxs.shape
    if min(height, width) < 3:
        return np.zeros((height, width), dtype=bool)
    masked = np.where(valid_yx[..., None], plane_yxs, np.nan)
    padded = np.pad(masked, ((1, 1), (1, 1), (0, 0)), constant_values=np.nan)
    highest, second_highest = (np.full_like(plane_yxs, -np.inf) for _ in range(2))
    lowest, second_lowest = (np.full_like(plane_yxs, np.inf) for _ in range(2))
    for row in range(3):
        for column in range(3):
            if (row, column) != (1, 1):
                beside = padded[row : row + height, column : column + width]
                # Of the second NaN is kept: a thin line that meets the image's edge
                # has but one neighbour left, and that must count.
                np.maximum(
                    second_highest, np.minimum(highest, beside), out=second_highest
                )
                np.minimum(second_lowest, np.maximum(lowest, beside), out=second_lowest)
                np.fmax(highest, beside, out=highest)
                np.fmin(lowest, beside, out=lowest)
    above = np.where(np.isnan(second_highest), highest, second_highest)
    below = np.where(np.isnan(second_lowest), lowest, second_lowest)
    # Without any valid neighbour nothing can be said: no comparison with NaN holds.
    above, below = (np.where(np.isfinite(one), one, np.nan) for one in (above, below))
    hot = _beyond(plane_yxs, above, above - lowest, problem)
    dead = _beyond(below, plane_yxs, highest - below, problem)
    return np.asarray((hot | dead).any(axis=-1) & valid_yx)


def _beyond(
    brighter: NDArray[np.float64],
    darker: NDArray[np.float64],
    spread: NDArray[np.float64],
    problem: FitProblem,
) -> NDArray[np.bool_]:
    sigma = np.sqrt(problem.variance(brighter))
    limit = np.maximum(_FAR_SIGMAS * sigma, _FAR_SPREADS * spread)
    return np.asarray(brighter - darker > limit)
