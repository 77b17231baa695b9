"""Noise whose level repeats along a lattice, as interpolation between pixels leaves it.

An interpolated pixel is a mean of its neighbours, and has less noise than they have. A
camera that interpolates colours leaves a checkerboard of noise levels, an image that
was enlarged a pattern with the period of its former pixels. No filter makes such noise
white: a network learns which pixels are means of others, and predicts their noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

_FINE, _COARSE = 1.0, 4.0
"""Standard deviations of the blurs, in pixels, that are subtracted from the plane, and
from its local level."""
_LEAST_SQUARE = 1e-3
"""Square over the mean one below which the level counts as that."""
_LOWEST = 0.12
"""Frequency, in cycles per pixel, below which structure changes the level."""
_PEAK = 20.0
"""Power of a frequency over the mean one. Without a lattice, the largest of 1e5 exceeds
20 in one of 5000 planes; demosaicked planes from 128x128 pixels on have over 140."""


def follows_lattice(plane_yxs: NDArray[np.floating]) -> bool:
    """Return whether the level of white noise repeats along a lattice, in any sample.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        A plane with white noise, in any units.
    """
    samples = range(plane_yxs.shape[-1])
    return any(_highest_peak(plane_yxs[..., k]) > _PEAK for k in samples)


def _highest_peak(plane_yx: NDArray[np.floating]) -> float:
    """Return the largest power of the logarithmic level at any frequency."""
    rough = plane_yx - gaussian_filter(plane_yx.astype(np.float64), _FINE)
    square = rough**2
    level = np.log(square + _LEAST_SQUARE * max(square.mean(), np.finfo(float).tiny))
    level -= gaussian_filter(level, _COARSE)
    window = np.outer(*(np.hanning(size) for size in level.shape))
    usual = float((window**2).sum() * level.var())
    power = np.square(np.abs(np.fft.rfft2((level - level.mean()) * window)))
    height, width = level.shape
    along, across = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    power[np.hypot(along, across) < _LOWEST] = 0.0
    return float(power.max()) / usual if usual > 0 else 0.0
