"""Errors that a noise model does not know: offsets, and values that were cut off."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from napari_inr_denoise.core.noise.defects.line_noise import line_noise_left
from napari_inr_denoise.core.noise.level.intensity_bins import by_intensity
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_FEWEST_LOWEST = 0.01
"""Share of pixels at the lowest value above which noise may be cut off there."""
_BINS = 16
_PARTLY = (0.2, 0.8)
"""Shares of pixels at the lowest value from which the noise below it is told."""
_WHOLE_PHOTONS = 2.0
"""Variance over mean, in steps between values, up to which the values are counts."""
_DARK, _FEW_DARK = 0.3, 0.75
"""Standard deviations above the lowest value, and pixels up to there over those that
cut-off noise has, below which single photons leave a gap beside the heap."""
_SAME_NOISE = (0.7, 1.4)
"""Noise of brighter pixels, which were not cut off, over that which the heap tells."""
_FREE = 1.5
"""Intensity of these pixels, in standard deviations above the lowest value."""
_UNSURE = 0.5
"""Share of the bias that is uncertain after it was taken off."""
_HIDDEN_LEFT = 0.15
"""Share of the offsets of pixels that is left where networks do not see the pixel in
other planes: 0.05 to 0.18 was measured."""
_MAY_BE_NOISE = 0.5
"""Share of the power of grain that counts as noise; the rest is texture."""
_INTENSITIES = np.linspace(-8.0, 8.0, 1601)
_SHOWN = _INTENSITIES * ndtr(_INTENSITIES) + np.exp(-(_INTENSITIES**2) / 2) / math.sqrt(
    2 * math.pi
)
"""Mean of what is left of noise of variance 1 around each intensity, cut off at 0."""


def systematic_square(
    problem: NoisyPlane, plane_yxs: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return the square of each pixel's error that is not random noise of the pixel.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    plane_yxs : ndarray, shape (Y, X, samples)
        The result.

    Returns
    -------
    ndarray of float64, shape (Y, X, samples)
        Sum of four, in squared units of the image: offsets of single pixels that all
        planes share, what is left of the offsets of lines, a part of the bias where
        values were cut off at the lowest one, and half of the power of grain that may
        be noise.
    """
    square = np.square(_UNSURE * cut_off_bias(problem, plane_yxs))
    left = _HIDDEN_LEFT if problem.hidden_in_context else 1.0
    square += np.square(np.multiply(left, problem.pixel_offsets))
    square += _MAY_BE_NOISE * problem.noise.grain**2
    if problem.structured_yxs is not None:
        noise = problem.noise.sigma
        square += line_noise_left(problem.structured_yxs, problem.fitted_yx, noise)
    return np.asarray(square)


def cut_off_bias(
    problem: NoisyPlane, plane_yxs: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return how much too bright a result is because values were cut off below.

    Where the mean is near the lowest value, half of the noise is gone, and the mean of
    what is left is too high (Foi, "Clipped noisy images", Signal Processing 2009).
    Photon counts have a heap at zero as well, but nothing is missing: their variance is
    that of whole photons, while noise that was cut off has values in smaller steps.
    Between the heap of an analogue detector and its single photons is a gap, where
    noise that was cut off has as many values as beyond.
    Where a heap comes from a threshold or a mask, it tells another noise than the
    brighter pixels have.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    plane_yxs : ndarray, shape (Y, X, samples)
        The result.

    Returns
    -------
    ndarray of float64, shape (Y, X, samples)
        For a normal distribution that is cut off; 0 where nothing was. What lies below
        the lowest value counts as the lowest value.
    """
    bias: NDArray[np.float64] = np.zeros(plane_yxs.shape, dtype=np.float64)
    if problem.noise.clipped_low < _FEWEST_LOWEST or problem.noise.correlated:
        return bias
    for sample in range(problem.plane_yxs.shape[-1]):
        noisy = problem.plane_yxs[problem.fitted_yx, sample]
        lowest = float(noisy.min())
        result = plane_yxs[..., sample] - lowest
        std = _std_before(noisy - lowest, result[problem.fitted_yx])
        free = problem.curve(sample).variance(np.array([lowest + _FREE * std]))
        if _SAME_NOISE[0] * std < math.sqrt(float(free[0])) < _SAME_NOISE[1] * std:
            # Farther above the cut than the table reaches, nothing is gone.
            near = np.minimum(result / std, _INTENSITIES[-1])
            before = np.interp(near, _SHOWN, _INTENSITIES)
            bias[..., sample] = std * np.maximum(near - np.maximum(before, 0.0), 0.0)
    return bias


def _std_before(noisy: NDArray[np.floating], result: NDArray[np.floating]) -> float:
    """Return the standard deviation of the noise before values were cut off at 0.

    It follows from the share of zeros and the mean at equal intensity. 0 if there are
    no such pixels, or if the values are photons, counted or not.
    """
    stds, counts, factors, darks = [], [], [], []
    step = float(noisy[noisy > 0].min(initial=np.inf))
    for group in by_intensity(result, _BINS):
        values = noisy[group]
        zeros, mean = float(np.mean(values == 0)), float(values.mean())
        if not _PARTLY[0] < zeros < _PARTLY[1]:
            continue
        at = -float(ndtri(zeros))
        stds.append(mean / float(np.interp(at, _INTENSITIES, _SHOWN)))
        factors.append(float(np.mean((values - result[group]) ** 2)) / mean)
        reach = step * max(round(_DARK * stds[-1] / step), 1)
        expected = float(ndtr(reach / stds[-1] - at)) - zeros
        dark = (values > 0) & (values < reach * (1 + 1e-6))
        darks.append(float(np.mean(dark)) / expected)
        counts.append(len(group))
    if not stds:
        return 0.0
    if np.average(darks, weights=counts) < _FEW_DARK:
        return 0.0
    if np.average(factors, weights=counts) <= _WHOLE_PHOTONS * step:
        return 0.0
    return float(np.average(stds, weights=counts))
