"""Growth of the noise at intensities that no quiet patch has, as on small spots."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, convolve
from scipy.optimize import nnls

from napari_inr_denoise.core.noise.level.level_function import (
    NoiseLevelFunction,
    fill_invalid,
)

_NARROW = 0.1
"""Range of the measured bins over that of the intensities below which the slope beyond
them is not known."""
_BRIGHTEST = 0.999
"""Quantile of the intensities that ends their range."""
_ROUNDS = 8
_OUTLIER = 12.0
"""Squared value over its expectation from which a pixel is left out."""
_LEAST = 1e-3

_line = np.array([1.0, -4.0, 6.0, -4.0, 1.0]) / math.sqrt(70)
_HIGHEST = np.outer(_line, _line)
"""Filter for the highest frequencies along both axes, the fourth difference along each.

It keeps the power of white noise. Of a spot of 0.8 pixels it lets 8 % through.
"""
_OVERLAP = float(np.square(np.correlate(_line, _line, "full")).sum())
"""Factor of standard errors, as values of the filter share pixels along both axes."""


def with_bright_noise(
    curve: NoiseLevelFunction,
    plane_yx: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
) -> NoiseLevelFunction:
    """Return a level function with its slope beyond the measured bins.

    What light leaves at the highest frequencies along both axes is mostly noise, even
    on the sharpest spots. Its square has a constant part, one that grows with the
    intensity, and that of the structure, which grows with its square.

    Parameters
    ----------
    curve : NoiseLevelFunction
        Measured in quiet patches, for white noise.
    plane_yx : ndarray, shape (Y, X)
        Intensities.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels to use.

    Returns
    -------
    NoiseLevelFunction
        The same curve if its bins cover a tenth of the intensities or more. If not,
        the slope is that of the bins where it agrees with the bright pixels, and
        otherwise the nearest one that does, within a standard error.
    """
    dark, last = curve.intensities[0], curve.intensities[-2]
    found = _slope(plane_yx - dark, valid_yx, (last - dark) / _NARROW)
    if found is None:
        return curve
    slope, error = found
    gain = float(np.clip(curve.gain, max(slope - error, 0.0), slope + error))
    at_last = float(curve.variance(np.array([last]))[0])
    return replace(
        curve, gain=gain, variance_at_zero=at_last - gain * last, extra_slope=0.0
    )


def _slope(
    plane_yx: NDArray[np.floating], valid_yx: NDArray[np.bool_], least: float
) -> tuple[float, float] | None:
    """Return the growth of the noise variance with the intensity, and its error.

    Parameters
    ----------
    plane_yx, valid_yx
        As for `with_bright_noise`, with an intensity of 0 in the dark.
    least : float
        Smallest range of intensities.
    """
    filled = fill_invalid(plane_yx, valid_yx).astype(np.float64)
    inside = binary_erosion(valid_yx, np.ones(_HIGHEST.shape), border_value=1)
    if np.quantile(filled[valid_yx], _BRIGHTEST) <= least or not inside.any():
        return None
    squared = convolve(filled, _HIGHEST, mode="mirror")[inside] ** 2
    # Of the pixels around, each counts as much as its noise does in the filter.
    intensity = np.maximum(convolve(filled, _HIGHEST**2, mode="mirror")[inside], 0.0)
    brightest = float(np.quantile(intensity, _BRIGHTEST))
    usual_square = float(np.median(squared))
    # Where most pixels are the same, the square is what rounding leaves.
    rounding = np.finfo(float).eps * brightest**2
    if brightest <= least or not usual_square > rounding:
        return None
    share = intensity / brightest
    terms = np.stack([np.ones_like(share), share, share**2], axis=1)
    expected = usual_square * (1 + intensity / max(least, _LEAST))
    for _ in range(_ROUNDS):
        usual = (squared < _OUTLIER * expected) / expected
        parts, _ = nnls(terms * usual[:, None], squared * usual)
        expected = np.maximum(terms @ parts, _LEAST * squared.mean())
    usual = (squared < _OUTLIER * expected) / expected
    scaled = terms * usual[:, None]
    # A squared normal deviation has a variance of 2.
    error = _OVERLAP * math.sqrt(2 * max(np.linalg.pinv(scaled.T @ scaled)[1, 1], 0.0))
    return float(parts[1]) / brightest, error / brightest
