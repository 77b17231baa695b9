"""Test whether two planes of a stack show the same structure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_FINE, _COARSE = 1.0, 6.0
"""Standard deviations, in pixels, of the difference of Gaussians (band-pass)."""
_CORRELATION = 0.5
"""Correlation of the structure above which a plane helps to predict the other."""
_SIGNIFICANT = 4.0
"""Significance threshold, in standard deviations of the covariance of noise."""


def shares_structure(one: NoisyPlane, other: NoisyPlane) -> bool:
    """Return whether two planes show the same structure.

    The test is the correlation of the band-passed planes. Their noise is independent:
    it only adds to the variance of each plane, from which it is subtracted.

    Parameters
    ----------
    one, other : NoisyPlane
        Planes of the same shape.
    """
    counted = (one.fitted_yx & other.fitted_yx)[..., None]
    bands = [_band(plane) * counted for plane in (one, other)]
    noise = [_noise_in_band(plane) * float(counted.mean()) for plane in (one, other)]
    signals = [
        max(float(np.mean(band**2)) - level, 0.0)
        for band, level in zip(bands, noise, strict=True)
    ]
    covariance = float(np.mean(bands[0] * bands[1]))
    # Blurred noise has one independent value in this number of pixels.
    pixels = 2 * math.pi * _FINE**2
    chance = math.sqrt(noise[0] * noise[1] * pixels / max(float(counted.sum()), 1.0))
    least = max(
        _CORRELATION * math.sqrt(signals[0] * signals[1]), _SIGNIFICANT * chance
    )
    return covariance > least


def _band(problem: NoisyPlane) -> NDArray[np.float64]:
    """Return the band-passed plane: the difference of two Gaussian blurs."""
    counted = problem.fitted_yx[..., None]
    mean = problem.plane_yxs[problem.fitted_yx].mean(axis=0)
    filled = np.where(counted, problem.plane_yxs, mean)
    fine, coarse = (
        gaussian_filter(filled, (width, width, 0)) for width in (_FINE, _COARSE)
    )
    return np.asarray(fine - coarse)


def _noise_in_band(problem: NoisyPlane) -> float:
    """Return the variance of the plane's noise, assumed white, in the band."""
    # Energy of the difference of two 2D Gaussian kernels, times 4 pi.
    squares = 1 / _FINE**2 + 1 / _COARSE**2 - 4 / (_FINE**2 + _COARSE**2)
    return problem.noise.sigma**2 * squares / (4 * np.pi)
