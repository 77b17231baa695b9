"""Detect hot and dead pixels: single pixels, and clusters of up to 4x4."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import (
    binary_opening,
    grey_dilation,
    grey_erosion,
    label,
    maximum_filter,
)

from napari_inr_denoise.core.noise.level.level_function import NoiseLevelFunction
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_SIDE = 4
"""Largest side of a cluster, in pixels; clusters of one value may touch."""
_FAR_SIGMAS = 7.0
"""Height above the surroundings, in noise standard deviations of the brighter side."""
_FAR_AROUND = 10.0
"""The same in those of the surroundings; the noise of bright pixels is uncertain."""
_LIGHT = math.exp(-1 / 0.6**2)
"""Smallest product of two opposite neighbours over the square of a pixel.

Blur by a Gaussian leaves it at exp(-1 / s^2) or more, whatever is blurred; s is its
standard deviation, 0.6 pixels for the sharpest spot that a camera sees.
"""
_STEEP = 0.3
"""Neighbour over pixel above which a border is no sharp edge: a cluster or light."""
_BODY = 0.2
"""Share of the height above which pixels belong together."""
_LIMITS, _IF_ALIKE = (0.75, 1.35), (1.0, 0.0)
"""Share of the light that an edge leaves at least, and the standard errors by which it
has to have less; the same where the pixels of the cluster are too alike for light."""
_ALIKE = 0.1
"""Range of the pixels of a cluster, in standard deviations of the noise of light, below
which they are no light: by chance, one of 400 groups of three pixels has less."""
_FALSE = 0.15
"""Clusters over larger things with sharp edges from which clusters are believed.

Measured: at most 0.065 on twelve photographs with noise of 2 to 15, which have no hot
pixels; none larger on 23 of 26 crops of micrographs and frames, at most 8 on any.
"""
_ROUNDS = 3
_MOST_PEAKS = 2000
_REACH = 2 * _SIDE + 2
"""Half the side of the window around a peak, in pixels."""
_AROUND, _FURTHER = 2, 0.3
"""Width of the ring of surroundings, in pixels, and weight of all but the nearest."""


def isolated_pixels(problem: NoisyPlane) -> NDArray[np.bool_]:
    """Return the mask of hot and dead pixels.

    Pixels are hot or dead if, in any sample, they stand out of their surroundings with
    edges that are sharper than those of light. The surroundings are a quadratic surface
    through the pixels around. What is found is taken out, and the rest is tested again.
    If such pixels are fitted, a few of them keep the residual above the noise level.

    Where much that is larger has such edges too, as in photographs and undersampled
    images, sharp edges are no evidence, and nothing is found.

    Parameters
    ----------
    problem : NoisyPlane
        The plane, its valid pixels and its noise; `fitted_yx` is ignored.

    Returns
    -------
    ndarray of bool, shape (Y, X)
        False at invalid pixels, and everywhere if a side is below 3 pixels.
    """
    nothing_yx = np.zeros(problem.valid_yx.shape, dtype=np.bool_)
    if min(nothing_yx.shape) < 3 or not problem.valid_yx.any():
        return nothing_yx
    sharp = _Sharp(nothing_yx.copy(), 0, 0)
    for sample in range(problem.plane_yxs.shape[-1]):
        values = problem.plane_yxs[..., sample]
        values = np.where(problem.valid_yx, values, np.median(values[problem.valid_yx]))
        for sign in (1, -1):
            signed = sign * values
            sigma = _Sigma(problem.curve(sample), sign, float(signed.max()))
            sharp = sharp.plus(_sharp_things(signed, problem.valid_yx, sigma))
    believed = sharp.clusters >= _FALSE * sharp.larger
    return sharp.found_yx if believed else nothing_yx


@dataclass(frozen=True)
class _Sharp:
    """What has sharper edges than light.

    Attributes
    ----------
    found_yx : ndarray of bool, shape (Y, X)
        Pixels of the clusters.
    clusters, larger : int
        Number of clusters, and of what is too large or too long for one.
    """

    found_yx: NDArray[np.bool_]
    clusters: int
    larger: int

    def plus(self, other: _Sharp) -> _Sharp:
        return _Sharp(
            self.found_yx | other.found_yx,
            self.clusters + other.clusters,
            self.larger + other.larger,
        )


@dataclass(frozen=True)
class _Sigma:
    """Standard deviation of the noise at intensities times `sign`.

    `highest` is the largest of these: light may have been cut off there.
    """

    curve: NoiseLevelFunction
    sign: int
    highest: float

    def __call__(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.sqrt(self.curve.variance(self.sign * values))


def _sharp_things(
    filled_yx: NDArray[np.float64], known_yx: NDArray[np.bool_], sigma: _Sigma
) -> _Sharp:
    """Return what is too bright and too sharp to be light."""
    found, larger = np.zeros_like(known_yx), np.zeros_like(known_yx)
    clusters = n_larger = 0
    changed = known_yx
    for _ in range(_ROUNDS):
        before, known = found.copy(), known_yx & ~found
        base = _opened(filled_yx)
        for row, column in _peaks(filled_yx, base, known & changed, sigma):
            if found[row, column]:
                continue
            window = tuple(
                slice(max(place - _REACH, 0), place + _REACH + 1)
                for place in (row, column)
            )
            peak = row - window[0].start, column - window[1].start
            region, surface, is_cluster = _sharp_region(
                filled_yx[window], base[row, column], known[window], peak, sigma
            )
            if is_cluster:
                clusters += 1
                found[window] |= region
                filled_yx[window][region] = surface[region]
            elif region.any():
                n_larger += not larger[row, column]
                larger[window] |= region
        changed = _grown(found & ~before, _REACH)
        if not changed.any():
            break
    return _Sharp(found, clusters, n_larger)


def _opened(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the plane without what is narrower than a window one wider than a cluster.

    Windows that reach beyond the plane are left out.
    """
    size = tuple(min(_SIDE + 1, length) for length in values.shape)
    lowest = grey_erosion(values, size, mode="constant", cval=-np.inf)
    return np.asarray(grey_dilation(lowest, size, mode="constant", cval=-np.inf))


def _peaks(
    values: NDArray[np.float64],
    base: NDArray[np.float64],
    known: NDArray[np.bool_],
    sigma: _Sigma,
) -> list[tuple[int, int]]:
    """Return the places of the peaks that stand out, from the brightest on."""
    highest = maximum_filter(values, 3, mode="nearest")
    stands_out = known & (values >= highest)
    stands_out &= values - base > _FAR_SIGMAS * sigma(values)
    rows, columns = np.nonzero(stands_out)
    order = np.argsort(-values[rows, columns], kind="stable")[:_MOST_PEAKS]
    rows, columns = rows[order], columns[order]
    around = base[rows, columns]
    far = values[rows, columns] - around > _FAR_AROUND * sigma(around)
    return list(zip(rows[far].tolist(), columns[far].tolist(), strict=True))


def _sharp_region(
    values: NDArray[np.float64],
    base: float,
    known: NDArray[np.bool_],
    peak: tuple[int, int],
    sigma: _Sigma,
) -> tuple[NDArray[np.bool_], NDArray[np.float64], bool]:
    """Return the pixels around a peak, none if they may be light.

    Also their surroundings, and whether they are a cluster: not too large or too long.
    """
    nothing = np.zeros_like(known)
    surface, misfit = np.full(values.shape, base), 1.0
    compact = True
    for fitted in (False, True):
        height = np.where(known, values - surface, 0.0)
        own, around = float(sigma(values[peak])), float(sigma(surface[peak]))
        least = max(_FAR_SIGMAS * own, _FAR_AROUND * misfit * around)
        if height[peak] <= least:
            return nothing, surface, False
        cluster = _connected(height > height[peak] / 2, peak)
        compact = _compact(cluster)
        if not compact:
            break
        if not fitted:
            surface, misfit = _surface(values, cluster, known, sigma)
    body = _connected(height > _BODY * height[peak], peak, diagonal=True)
    error = misfit * sigma(np.maximum(surface, values))
    limits = _IF_ALIKE if _too_alike(values[cluster], sigma) else _LIMITS
    sharp = _has_sharp_edges(height, cluster, known, error, limits)
    compact = compact and _compact(body | cluster)
    return cluster if sharp else nothing, surface, sharp and compact


def _connected(
    mask: NDArray[np.bool_], peak: tuple[int, int], diagonal: bool = False
) -> NDArray[np.bool_]:
    """Return the part of the mask that is connected with the peak."""
    regions, _ = label(mask, np.ones((3, 3)) if diagonal else None)
    return np.asarray((regions == regions[peak]) & (regions > 0))


def _compact(region: NDArray[np.bool_]) -> bool:
    """Return whether a region may be a cluster, or two that touch, and no thin line.

    The pixels of the region are connected.
    """
    rows, columns = np.nonzero(region)
    if not len(rows) or not _fits(rows, columns, 2 * _SIDE):
        return False
    if _fits(rows, columns):
        return len(set(rows)) > 1 < len(set(columns)) or len(rows) <= 2
    thick = binary_opening(region, np.ones((2, 2)))
    return bool(2 * thick.sum() >= len(rows)) and any(
        _fits(rows[first], columns[first]) and _fits(rows[~first], columns[~first])
        for axis in (rows, columns)
        for cut in np.unique(axis)[1:]
        for first in [np.less(axis, cut)]
    )


def _fits(rows: NDArray[np.intp], columns: NDArray[np.intp], side: int = _SIDE) -> bool:
    """Return whether a window, by default as large as a cluster, holds the pixels."""
    return all(int(one.max()) - int(one.min()) < side for one in (rows, columns))


def _surface(
    values: NDArray[np.float64],
    cluster: NDArray[np.bool_],
    known: NDArray[np.bool_],
    sigma: _Sigma,
) -> tuple[NDArray[np.float64], float]:
    """Return the quadratic surface through the pixels around, by least deviations.

    The second value is the deviation of these pixels over the noise: 1 or more.
    """
    for inner in (1, 0):  # next to the cluster there may be light of its own
        ring = _grown(cluster, inner + _AROUND) & ~_grown(cluster, inner) & known
        if ring.sum() >= 12:
            break
    y, x = np.indices(values.shape) / _SIDE
    y, x = y - y[cluster].mean(), x - x[cluster].mean()
    one = np.ones_like(x)
    terms = [one, y, x, y * y, x * y, x * x][: 6 if ring.sum() >= 12 else 1]
    columns = np.stack(terms, axis=-1)
    if not ring.any():
        return values, 1.0
    wanted, matrix = values[ring], columns[ring]
    near = np.where(_grown(cluster, inner + 1)[ring], 1.0, _FURTHER)
    fitted = np.full(len(wanted), np.median(wanted))
    for _ in range(4):
        error = sigma(fitted) + 1e-30
        weight = near / np.maximum(np.abs(wanted - fitted), error)
        root = np.sqrt(weight / error)[:, None]
        factors = np.linalg.lstsq(matrix * root, wanted * root[:, 0], rcond=None)[0]
        fitted = matrix @ factors
    misfit = float(np.quantile(np.abs(wanted - fitted) / error, 0.3)) / 0.385
    return np.asarray(columns @ factors), max(misfit, 1.0)


def _has_sharp_edges(
    height: NDArray[np.float64],
    cluster: NDArray[np.bool_],
    known: NDArray[np.bool_],
    sigma: NDArray[np.float64],
    limits: tuple[float, float],
) -> bool:
    """Return whether the edges of a cluster are sharper than those of light."""
    less, least_errors = limits
    inside, free = np.pad(cluster, 1), np.pad(known & ~cluster, 1)
    height, sigma = np.pad(height, 1), np.pad(sigma, 1)
    rows, columns = np.nonzero(inside)
    borders = 0
    missing: list[float] = []
    errors: list[float] = []
    for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        beyond = rows + down, columns + right
        edge = free[beyond]
        own = height[rows, columns][edge]
        outer = height[beyond][edge]
        inner = height[rows - down, columns - right][edge]
        least = _LIGHT * own**2 / np.maximum(inner, math.sqrt(_LIGHT) * own)
        steep = outer < _STEEP * own
        missing.extend((less * least - outer)[steep])
        slope = 2 * less * least / np.maximum(own, 1e-30)
        error = sigma[beyond][edge] ** 2 + (slope * sigma[rows, columns][edge]) ** 2
        errors.extend(error[steep])
        borders += int(edge.sum())
    if not missing or 2 * len(missing) < borders:
        return False
    of_mean = math.sqrt(float(np.sum(errors))) / len(missing)
    return bool(np.mean(missing) > least_errors * of_mean)


def _too_alike(values: NDArray[np.float64], sigma: _Sigma) -> bool:
    """Return whether pixels differ too little for light, which has noise."""
    if len(values) < 3 or values.max() >= sigma.highest:
        return False
    return float(np.ptp(values)) < _ALIKE * float(sigma(values[:1])[0])


def _grown(mask: NDArray[np.bool_], pixels: int) -> NDArray[np.bool_]:
    return np.asarray(maximum_filter(mask, 2 * pixels + 1, mode="constant"))
