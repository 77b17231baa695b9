"""Detect hot and dead pixels: single pixels, pairs, and clusters of up to 4x4."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, grey_opening, label, maximum_filter

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

_CLUSTER_SIDE = 4
_CLUSTER_SIGMAS = 10.0
"""Height of a cluster over its surroundings, in noise standard deviations."""
_MOST_CLUSTERS = 2000
_LEAST_AROUND = ((2, 0.119), (4, 0.043), (16, 0.1))
"""Pixels of a cluster, and the least that light leaves in the pixels around it, over
its height.

The sharpest spot is a Gaussian with a standard deviation of 0.6 pixels. One, two or
four pixels are above half of its height, by its place; the mean of their neighbours is
then 0.155, 0.119 or 0.043 of the height. What covers more has the edge of this spot.
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
        found_yx |= _clusters(values, problem.curve(sample))
        found_yx |= _clusters(-values, problem.curve(sample), sign=-1)
    return found_yx


def _clusters(
    values_yx: NDArray[np.float64], curve: NoiseLevelFunction, sign: int = 1
) -> NDArray[np.bool_]:
    """Return the mask of clusters that stand out with edges sharper than light has.

    Parameters
    ----------
    values_yx : ndarray, shape (Y, X)
        Intensities times `sign`; NaN at invalid pixels.
    curve : NoiseLevelFunction
        Noise variance over intensity.
    sign : int
        -1 to find dead pixels.
    """
    found = np.zeros(values_yx.shape, dtype=np.bool_)
    known = np.isfinite(values_yx)
    if min(values_yx.shape) < 2 * _CLUSTER_SIDE or not known.any():
        return found
    filled = np.where(known, values_yx, np.median(values_yx[known]))
    # The opening removes everything that is narrower than its window.
    height = filled - grey_opening(filled, _CLUSTER_SIDE + 1)
    sigma = np.sqrt(curve.variance(sign * filled))
    connected = np.ones((3, 3))
    regions, count = label(known & (height > _CLUSTER_SIGMAS * sigma), connected)
    if count > _MOST_CLUSTERS:
        return found
    for number, place in enumerate(find_objects(regions), start=1):
        if max(one.stop - one.start for one in place) > 2 * _CLUSTER_SIDE:
            continue
        margin = tuple(slice(max(one.start - 3, 0), one.stop + 3) for one in place)
        own = regions[margin] == number
        cluster = _sharp_cluster(filled[margin], own, known[margin], sigma[margin])
        found[margin] |= cluster
    return found


def _sharp_cluster(
    values: NDArray[np.float64],
    own: NDArray[np.bool_],
    known: NDArray[np.bool_],
    sigma: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Return the pixels of a cluster; none if light can explain it."""
    nothing = np.zeros_like(own)
    outside = known & ~_grown(own, 2)
    if outside.sum() < _CLUSTER_SIDE:
        return nothing
    low, level, high = np.quantile(values[outside], (0.15, 0.5, 0.85))
    top = float(values[own].max()) - level
    cluster = own & (values > level + top / 2)
    rows, columns = np.nonzero(cluster)
    if len(rows) < 2 or top < 2 * (high - low):
        return nothing
    side = max(np.ptp(rows), np.ptp(columns)) + 1
    around = _grown(cluster, 1) & ~cluster & known
    beyond = _grown(cluster, 2) & ~_grown(cluster, 1) & known
    if side > _CLUSTER_SIDE or not around.any() or not beyond.any():
        return nothing
    if values[around].max() > level + top / 2:  # a part of a filament
        return nothing
    height = float(values[cluster].mean()) - level
    light = next(part for most, part in _LEAST_AROUND if len(rows) <= most) * height
    error = float(np.median(sigma[beyond])) * math.sqrt(1 / around.sum())
    # Compared with the pixels beyond, because the surroundings may have a slope.
    missing = light / 2 - float(values[around].mean() - values[beyond].mean())
    return cluster if missing > 2 * error else nothing


def _grown(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    return np.asarray(maximum_filter(mask, 2 * pixels + 1, mode="constant"))


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
