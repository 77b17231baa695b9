"""Regions of a plane that differ in noise level: mosaics, averaged or corrected parts.

One curve of noise variance over intensity cannot hold where pixels of equal intensity
have different noise. Structure adds to the power of a high-pass filtered plane too, but
its power falls towards the highest frequency, while that of white noise does not. The
power of correlated noise falls as its spectrum tells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import (
    correlate1d,
    gaussian_filter,
    minimum_filter,
    uniform_filter,
)

from napari_inr_denoise.core.noise.level.intensity_bins import by_intensity
from napari_inr_denoise.core.noise.level.level_function import (
    NoiseLevelFunction,
    fill_invalid,
)
from napari_inr_denoise.core.noise.noisy_plane import NoiseRegion

_DIFFERENCES = (
    np.array([1.0, -1.0]) / math.sqrt(2),
    np.array([1.0, -2.0, 1.0]) / math.sqrt(6),
    np.array([1.0, -4.0, 6.0, -4.0, 1.0]) / math.sqrt(70),
)
"""Differences of rising order, along rows and columns: rising frequencies. White noise
has the same power in all."""
_WIDTH = 6.0
"""Standard deviation, in pixels, of the blur of the local power."""
_MEAN_SIDE = 7
"""Side, in pixels, of the window of the local intensity."""
_LEAST_POWER = 0.05
"""Lower limit of a squared difference over the noise variance: equal grey levels."""
_LEAST_VARIANCE = 1e-9
"""Lower limit of the noise variance over the variance of the plane."""
_SMALLEST = (0.05, 1024)
"""Smallest share and number of the pixels of a region."""
APART = 1.7
"""Factor between the variances of two regions at equal intensity from which they are
measured apart."""
_LEAST_SHARE = 0.02
"""Lower limit of the power of a difference of correlated noise over its variance."""
_LEAST_SPREAD = 1e-6
"""Smallest range of the logarithms of the power that is divided into classes."""
_WHITE = 1.25
"""Largest factor between the powers that one region has beyond the other at the lowest
and at the highest frequency. Structure has 1.4 and more, measured on photographs."""
_BINS = 24
_BORDER_WIDTH = 1.0
"""Standard deviation, in pixels, of the blur of the likelihood at a border."""
_NEAR = 0.05
"""Share of the other region around a pixel from which it is near the border."""
_LARGEST_POWER = 20.0
"""Limit of a squared difference over the noise variance: an edge or a hot pixel."""


@dataclass(frozen=True)
class TwoParts:
    """Two parts of a plane that may differ in noise at equal intensity.

    Attributes
    ----------
    noisier_yx : ndarray of bool, shape (Y, X)
        The part with more power.
    powers : ndarray, shape (2, differences)
        Mean powers over the variance of the curves, at equal intensity: of the noisier
        part, then of the other. Differences are of rising frequency.
    """

    noisier_yx: NDArray[np.bool_]
    powers: NDArray[np.float64]

    def differ(self, apart: float) -> bool:
        """Return whether all powers differ by a factor or more."""
        high, low = self.powers
        return bool((high >= apart * low).all())

    @property
    def differ_in_noise(self) -> bool:
        """Whether noise makes the difference: it does not fall with the frequency."""
        high, low = self.powers
        excess = high - low
        return bool(excess[0] / _WHITE <= excess[-1])


def two_parts(
    plane_yxs: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
    curves: Sequence[NoiseLevelFunction],
) -> TwoParts | None:
    """Return the parts of a plane with more and with less power than one curve says.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        Intensities.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels to use.
    curves : sequence of NoiseLevelFunction
        Noise level function of each sample, measured on these pixels.

    Returns
    -------
    TwoParts or None
        None if a part is too small, or if the intensities of both hardly overlap.
    """
    # The differences next to an invalid pixel are not of noise alone.
    inside = minimum_filter(valid_yx, len(_DIFFERENCES[-1]))
    smallest = max(_SMALLEST[0] * valid_yx.size, _SMALLEST[1])
    if inside.sum() < 2 * smallest:
        return None
    logs, means = log_powers(plane_yxs, valid_yx, curves)
    noisy = _noisier(logs[1], inside)
    powers = _powers(logs, means, noisy, inside, smallest)
    return None if powers is None else TwoParts(noisy, powers)


def noisier_region(
    plane_yxs: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
    curves: Sequence[NoiseLevelFunction],
    apart: float = APART,
) -> NDArray[np.bool_] | None:
    """Return the part of a plane that has more noise than the rest at equal intensity.

    Parameters
    ----------
    plane_yxs, valid_yx, curves
        As for `two_parts`.
    apart : float
        Least factor between the variances of the two parts at equal intensity.

    Returns
    -------
    ndarray of bool, shape (Y, X), or None
        None if one curve holds everywhere.
    """
    parts = two_parts(plane_yxs, valid_yx, curves)
    if parts is None or not (parts.differ(apart) and parts.differ_in_noise):
        return None
    return parts.noisier_yx


def sharpened(
    plane_yxs: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
    regions: Sequence[NoiseRegion],
) -> list[NDArray[np.bool_]]:
    """Return the masks of regions, with borders where their noise explains them best.

    Near a border, a pixel belongs to the region whose noise makes the differences
    around it most likely. A noisy pixel in a quiet region would be kept as it is.

    Parameters
    ----------
    plane_yxs, valid_yx
        As for `two_parts`.
    regions : sequence of NoiseRegion
        At least one.
    """
    costs = np.full((len(regions), *valid_yx.shape), np.inf)
    for cost, region in zip(costs, regions, strict=True):
        of_pixels = unlikely(plane_yxs, valid_yx, region.curves)
        near = gaussian_filter(region.mask_yx.astype(float), _WIDTH) > _NEAR
        likely = gaussian_filter(np.where(valid_yx, of_pixels, 0.0), _BORDER_WIDTH)
        cost[near] = likely[near]
    nearest = costs.argmin(axis=0)
    return [nearest == number for number in range(len(regions))]


def unlikely(
    plane_yxs: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
    curves: Sequence[NoiseLevelFunction],
) -> NDArray[np.float64]:
    """Return how unlikely the differences between pixels are under a noise model.

    Parameters
    ----------
    plane_yxs, valid_yx, curves
        As for `two_parts`.

    Returns
    -------
    ndarray, shape (Y, X)
        Minus twice the logarithm of the likelihood, plus a constant; a sum over the
        samples. Large differences are limited, so that an edge does not decide.
    """
    found = np.zeros(valid_yx.shape)
    for sample, curve in enumerate(curves):
        plane = fill_invalid(plane_yxs[..., sample], valid_yx)
        variance = _variance(plane, uniform_filter(plane, _MEAN_SIDE), curve)
        variance = variance * _difference_power(_DIFFERENCES[0], curve)
        power = _difference(plane, _DIFFERENCES[0]) ** 2 / variance
        found += np.minimum(power, _LARGEST_POWER) + np.log(variance)
    return found


def log_powers(
    plane_yxs: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
    curves: Sequence[NoiseLevelFunction],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return logarithms of squared differences over the variance, and mean intensities.

    The logarithm limits the influence of hot pixels and edges.

    Parameters
    ----------
    plane_yxs, valid_yx, curves
        As for `two_parts`.

    Returns
    -------
    logs : ndarray, shape (differences, Y, X)
        Mean over the samples, for differences of first, second and fourth order.
    means : ndarray, shape (Y, X)
        Mean intensity of the samples in a small window.
    """
    logs = np.zeros((len(_DIFFERENCES), *valid_yx.shape))
    means = np.zeros(valid_yx.shape)
    for sample, curve in enumerate(curves):
        plane = fill_invalid(plane_yxs[..., sample], valid_yx)
        mean = uniform_filter(plane, _MEAN_SIDE)
        variance = _variance(plane, mean, curve)
        for number, weights in enumerate(_DIFFERENCES):
            expected = variance * _difference_power(weights, curve)
            power = _difference(plane, weights) ** 2 / expected
            logs[number] += np.log(np.maximum(power, _LEAST_POWER)) / len(curves)
        means += mean / len(curves)
    return logs, means


def _variance(
    plane_yx: NDArray[np.floating],
    mean_yx: NDArray[np.floating],
    curve: NoiseLevelFunction,
) -> NDArray[np.float64]:
    """Return the noise variance at local mean intensities, to divide by."""
    least = max(_LEAST_VARIANCE * plane_yx.var(), np.finfo(float).tiny)
    return np.asarray(np.maximum(curve.variance(mean_yx), least))


def _difference(
    plane_yx: NDArray[np.floating], weights: NDArray[np.float64]
) -> NDArray[np.floating]:
    """Return a difference along rows and columns; white noise keeps its variance."""
    return np.asarray(correlate1d(correlate1d(plane_yx, weights, 0), weights, 1))


def _difference_power(weights: NDArray[np.float64], curve: NoiseLevelFunction) -> float:
    """Return the power of a difference of noise over its variance; 1 if it is white."""
    if curve.power_kk is None:
        return 1.0
    count = len(curve.power_kk)
    steps = np.outer(np.arange(count) * np.pi / count, np.arange(len(weights)))
    response = np.square(np.abs(np.exp(1j * steps) @ weights))
    response *= np.where(np.arange(count) > 0, 2.0, 1.0)
    total = response @ curve.power_kk @ response
    return max(float(total / response.sum() ** 2), _LEAST_SHARE)


def _noisier(
    log_yx: NDArray[np.float64], inside: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return where the local power is in the upper of two classes (Otsu, 1979)."""
    count = inside.astype(float)
    around = np.maximum(gaussian_filter(count, _WIDTH), 1e-9)
    local = gaussian_filter(log_yx * count, _WIDTH) / around
    above = local > _otsu(local[inside])
    # The border between the regions is as smooth as the local power.
    share = gaussian_filter((above & inside).astype(float), _WIDTH) / around
    return np.asarray(share > 0.5)


def _otsu(values: NDArray[np.float64]) -> float:
    """Return the threshold that maximizes the variance between two classes."""
    low, high = float(values.min()), float(values.max())
    counts, edges = np.histogram(values, 128, (low, max(high, low + _LEAST_SPREAD)))
    middles = (edges[1:] + edges[:-1]) / 2
    below, total = np.cumsum(counts)[:-1], counts.sum()
    sums = np.cumsum(counts * middles)
    between = np.square(sums[-1] * below / total - sums[:-1])
    spread = np.maximum(below * (total - below), 1)
    return float(edges[1:-1][np.argmax(between / spread)])


def _powers(
    logs: NDArray[np.float64],
    means: NDArray[np.float64],
    noisy: NDArray[np.bool_],
    inside: NDArray[np.bool_],
    smallest: float,
) -> NDArray[np.float64] | None:
    """Return the powers of two regions at equal intensity, (2, differences).

    None if one is too small, or if their intensities hardly overlap.
    """
    upper = noisy[inside]
    if min(upper.sum(), (~upper).sum()) < smallest:
        return None
    values = logs[:, inside]
    common, sums = 0, np.zeros((2, len(logs)))
    for part in by_intensity(means[inside], _BINS):
        sides = part[upper[part]], part[~upper[part]]
        weight = min(len(one) for one in sides)
        if weight:
            common += weight
            sums += [weight * values[:, one].mean(axis=1) for one in sides]
    return np.exp(sums / common) if 2 * common >= smallest else None
