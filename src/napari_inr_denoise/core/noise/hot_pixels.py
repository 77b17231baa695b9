"""Hot and dead pixels: single pixels, or pairs, far out of all others around them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.level_function import NoiseLevelFunction
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_FAR_SIGMAS = 6.0
_FAR_SPREADS = 3.0
"""Through a lens no pixel is far from all eight neighbours, or from seven of them.

At the centre of the sharpest spot that a camera samples (a Gaussian of 0.8 pixels) the
distance to the next brightest neighbours is 2.2 times the spread of the neighbours; of
two pixels that share its centre, 1.5 times that of the other seven.
"""


def isolated_pixels(problem: NoisyPlane) -> NDArray[np.bool_]:
    """Return which pixels are hot or dead.

    A pixel is if, in any sample, it lies above all of its eight neighbours but one, or
    below all of them but one, by more than 6 times the noise of the brighter side and
    by more than 3 times the spread of these neighbours. The one may be defective too.
    Left in the fit, a few such pixels keep the residual above the noise level for ever.

    Parameters
    ----------
    problem : NoisyPlane
        The plane, its valid pixels and its noise; what is fitted doesn't matter.

    Returns
    -------
    ndarray of bool, shape (Y, X)
        Never an invalid pixel. Nothing where the plane is narrower than 3 pixels.
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
    """Return rows and columns of the pixels that may be hot or dead, few as a rule.

    With one exception at the most they lie beyond their neighbours, and so beyond one
    of those to the left and right, and beyond one of those above and below.
    """
    least = _FAR_SIGMAS * math.sqrt(curve.least)
    # Where there is no neighbour nothing is asked for.
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
    """Return which of some pixels are hot or dead; invalid values are NaN."""
    own = values_yx[rows, columns]
    padded = np.pad(values_yx, 1, constant_values=np.nan)
    around = [
        padded[rows + down, columns + right]
        for down, right in np.ndindex(3, 3)
        if (down, right) != (1, 1)
    ]
    beside = np.sort(np.stack(around), axis=0)  # NaN comes last
    lowest, highest = np.fmin.reduce(beside), np.fmax.reduce(beside)
    # A thin line that meets the image's edge has but one neighbour left, and that
    # must count: where one of the eight is missing there is no exception.
    missing = np.isnan(beside[-1])
    below = np.where(missing, lowest, beside[1])
    above = np.where(missing, highest, beside[-2])
    # Without any neighbour all are NaN, and no comparison with NaN holds.
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
