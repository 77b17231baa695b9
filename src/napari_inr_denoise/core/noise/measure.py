"""Measure the noise and the hot pixels of one plane."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.estimate import examine_plane
from napari_inr_denoise.core.noise.hot_pixels import isolated_pixels
from napari_inr_denoise.core.noise.line_noise import without_line_noise
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_MAX_NOISE = 2.0
"""Largest noise level over the standard deviation of the fitted pixels.

A higher level means that hot pixels were measured as noise. This happens in tiny
images, where every patch contains one.
"""
_MAX_DEVIATION = 1e6
"""Largest deviation of a pixel over the standard deviation of the fitted pixels.

Above it, sums of squares lose the noise by rounding. 16-bit images never reach it.
"""


def measure_plane(
    values_yxs: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    spacing_yx: tuple[float, float] = (1.0, 1.0),
) -> NoisyPlane:
    """Return a plane with its noise model, without fitting hot and dead pixels.

    Parameters
    ----------
    values_yxs, valid_yx : ndarray
        As for `examine_plane`.
    spacing_yx : tuple of float
        Height and width of a pixel, both in the same unit.
    """
    values_yxs, lines = without_line_noise(values_yxs, valid_yx)
    noise, curves = examine_plane(values_yxs, valid_yx)
    problem = NoisyPlane(
        values_yxs, valid_yx, valid_yx, noise, spacing_yx, curves, lines
    )
    fitted = valid_yx & ~isolated_pixels(problem)
    if _is_distorted(noise.sigma, values_yxs[valid_yx], values_yxs[fitted]):
        noise, curves = examine_plane(values_yxs, fitted)
    return replace(problem, fitted_yx=fitted, noise=noise, curves=curves)


def _is_distorted(
    sigma: float, valid: NDArray[np.float64], fitted: NDArray[np.float64]
) -> bool:
    """Return whether hot pixels (valid, not fitted) have distorted the noise level."""
    if len(fitted) == 0 or len(fitted) == len(valid):
        return False
    spread, farthest = fitted.std(), np.abs(valid - fitted.mean(axis=0)).max()
    return bool(sigma > _MAX_NOISE * spread or farthest > _MAX_DEVIATION * spread)
