"""Tests whether planes of a stack show the same structure, and where they do not."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.sampling.context import context_planes
from napari_inr_denoise.core.sampling.normalization import CommonScale

_BANDS = (1.0, 6.0), (2.0, 12.0)
"""Standard deviations, in pixels, of the differences of Gaussians (band-passes), from
fine to coarse structure. With a third band of 3 and 18 pixels, planes eight apart of
a dim volume pass as well."""
_CORRELATION = 0.5
"""Correlation of the structure above which a plane helps to predict the other."""
_SIGNIFICANT = 4.0
"""Significance threshold, in standard deviations of the covariance of noise."""
_LAGS = 1, 3
"""Distances in a plane, in pixels, that the one to the next plane is compared with."""
_CHANGE_WIDTHS = (1.0, 2.0)
"""Standard deviations, in pixels, of the blurs in which a sudden change is tested."""
_CHANGE = (3.5, 5.25)
"""Significance, in standard deviations, at which a change begins to count, and from
which it counts fully. From 3 on, smooth volumes and drifting movies lose 0.6 % in RMSE;
from 2.5 on, still movies lose 1 %."""
_UNEQUAL = 2.0
"""Ratio of two squared deviations below which the slices are equally far away. With 1
the noise of a large, steady change would count."""
_MEDIAN = 0.6745
"""Median of the absolute value of a standard normal variable."""


def shares_structure(one: NoisyPlane, other: NoisyPlane) -> bool:
    """Return whether two planes show the same structure.

    The test is the correlation of the band-passed planes. Their noise is independent:
    it only adds to the variance of each plane, from which it is subtracted. Coarse
    structure decides only where fine structure is lost in the noise.

    Parameters
    ----------
    one, other : NoisyPlane
        Planes of the same shape.
    """
    for band in _BANDS:
        covariance, signal, chance = _joint_structure((one, other), band)
        least, visible = _CORRELATION * signal, _SIGNIFICANT * chance
        if covariance > max(least, visible):
            return True
        if least >= visible:
            return False
    return False


def distance_to_next(planes: Sequence[NoisyPlane]) -> float:
    """Return how different planes are from the next, as a distance within a plane.

    Covariances are taken between different pixels, whose noise is independent, so that
    no noise model is needed.

    Parameters
    ----------
    planes : sequence of NoisyPlane
        At least two, of the same shape, in the order of Z.

    Returns
    -------
    float
        0: as alike as adjacent pixels of a plane; 1: as pixels three apart. Infinite
        where pixels do not differ by more than the noise.
    """
    counted = np.stack([plane.fitted_yx for plane in planes])[..., None]
    values = np.stack([plane.plane_yxs for plane in planes])
    mean = values[np.broadcast_to(counted, values.shape)].mean()
    values = np.where(counted, values - mean, 0.0)

    def covariance(axis: int, lag: int) -> float:
        """Return the covariance of pixels at a distance along an axis."""
        size = values.shape[axis]
        first, second = np.arange(size - lag), np.arange(lag, size)
        products = values.take(first, axis) * values.take(second, axis)
        both = counted.take(first, axis) & counted.take(second, axis)
        return float(products.sum() / max(both.sum(), 1) / values.shape[3])

    near, far = ((covariance(1, lag) + covariance(2, lag)) / 2 for lag in _LAGS)
    if near <= far:
        return math.inf
    return (near - covariance(0, 1)) / (near - far)


def sudden_change(
    problem: NoisyPlane, context: Sequence[NoisyPlane | None]
) -> NDArray[np.float64] | None:
    """Return where a plane differs suddenly from its context slices.

    A change is sudden if the mean of the slices does not explain it, or if one slice
    explains the plane much better than another (a likelihood ratio). A steady change
    from plane to plane, as in a smooth volume, is neither.

    Parameters
    ----------
    problem : NoisyPlane
        The plane, with at least one fitted pixel.
    context : sequence of NoisyPlane or None
        Context slices of the same shape; None for a missing one.

    Returns
    -------
    ndarray, shape (Y, X), or None
        0 where the plane agrees with its context, 1 where it differs significantly.
        None if there are no slices.
    """
    present = [one for one in context if one is not None]
    if not present:
        return None
    device = torch.device("cpu")
    common = CommonScale.of([problem])
    own = common.stabilized_syx(problem, device).numpy()
    scale = common.stabilized_scale[:, None, None]
    differences, counts = [], []
    for plane in context_planes(problem, present, common, device):
        *values, valid = plane.numpy()
        differences.append(((own - np.stack(values)) * scale).mean(axis=0))
        counts.append(valid * problem.fitted_yx)
    # The variance is in units of that of one value: both planes have noise.
    samples, number = len(own), len(present)
    mean, both = np.mean(differences, axis=0), np.min(counts, axis=0)
    found = np.zeros(both.shape)
    for width in _CHANGE_WIDTHS:
        of_mean = _squared_deviation(mean, both, width, (1 + 1 / number) / samples)
        found = np.maximum(found, of_mean)
        if number > 1:
            pairs = zip(differences, counts, strict=True)
            each = [_squared_deviation(*pair, width, 2 / samples) for pair in pairs]
            excess = np.max(each, axis=0) - _UNEQUAL * np.min(each, axis=0)
            found = np.maximum(found, excess)
    first, full = _CHANGE
    return np.clip((np.sqrt(found) - first) / (full - first), 0.0, 1.0)


def _squared_deviation(
    difference: NDArray[np.float64],
    counts: NDArray[np.float64],
    width: float,
    variance: float,
) -> NDArray[np.float64]:
    """Return a blurred difference, squared, in units of its variance.

    Parameters
    ----------
    difference, counts : ndarray, shape (Y, X)
        Difference of two planes, and 1 at pixels that are valid in both, 0 elsewhere.
    width : float
        Standard deviation of the blur, in pixels.
    variance : float
        Variance of the difference at one pixel.
    """
    blurred = gaussian_filter(difference * counts, width, mode="constant")
    # The square of a Gaussian kernel is a narrower one, times this factor.
    squares = gaussian_filter(counts, width / math.sqrt(2), mode="constant")
    factor = variance / (4 * math.pi * width**2)
    squared = blurred**2 / (factor * np.maximum(squares, 1e-6))
    # Correlated noise, or planes that differ everywhere, vary more than that: what is
    # usual in this plane is not sudden.
    usual = float(np.median(squared[counts > 0])) if counts.any() else 0.0
    return np.asarray(squared / max(usual / _MEDIAN**2, 1.0))


def _joint_structure(
    planes: tuple[NoisyPlane, NoisyPlane], band: tuple[float, float]
) -> tuple[float, float, float]:
    """Compare the structure of two planes in a band.

    Parameters
    ----------
    planes : tuple of two NoisyPlane
        Both have the same shape.
    band : tuple of float
        Standard deviations of the Gaussian blurs, in pixels.

    Returns
    -------
    covariance : float
        Covariance of the planes in the band, in squared intensities, as the other two.
    signal : float
        Product of the standard deviations of their structure. The covariance is as
        large if both show the same structure.
    chance : float
        Standard deviation that noise gives the covariance if they share no structure.
    """
    counted = (planes[0].fitted_yx & planes[1].fitted_yx)[..., None]
    bands = [_in_band(plane, band) * counted for plane in planes]
    noise = [_noise_in_band(plane, band) * float(counted.mean()) for plane in planes]
    signals = [
        max(float(np.mean(values**2)) - level, 0.0)
        for values, level in zip(bands, noise, strict=True)
    ]
    # Blurred noise has one independent value in this number of pixels.
    pixels = 2 * math.pi * band[0] ** 2
    # Noise of one plane is multiplied with noise and with structure of the other.
    products = math.prod(map(sum, zip(signals, noise, strict=True)))
    products -= math.prod(signals)
    chance = math.sqrt(max(products, 0.0) * pixels / max(float(counted.sum()), 1.0))
    return float(np.mean(bands[0] * bands[1])), math.sqrt(math.prod(signals)), chance


def _in_band(problem: NoisyPlane, band: tuple[float, float]) -> NDArray[np.float64]:
    """Return the band-passed plane: the difference of two Gaussian blurs."""
    counted = problem.fitted_yx[..., None]
    mean = problem.plane_yxs[problem.fitted_yx].mean(axis=0)
    filled = np.where(counted, problem.plane_yxs, mean)
    fine, coarse = (gaussian_filter(filled, (width, width, 0)) for width in band)
    return np.asarray(fine - coarse)


def _noise_in_band(problem: NoisyPlane, band: tuple[float, float]) -> float:
    """Return the variance of the plane's noise, assumed white, in the band."""
    fine, coarse = band
    # Energy of the difference of two 2D Gaussian kernels, times 4 pi.
    squares = 1 / fine**2 + 1 / coarse**2 - 4 / (fine**2 + coarse**2)
    return problem.noise.sigma**2 * squares / (4 * np.pi)
