"""The guided filter: smooths what is small beside an error, and keeps edges."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

WINDOW = 9
"""Side of the filter's windows, in pixels: 3, 5 and 7 gained less on real frames."""


def guided(
    plane_yxs: NDArray[np.floating], variance_yxs: NDArray[np.floating]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Smooth a plane, with itself for the guide, by the variance of its error.

    He, Sun and Tang, "Guided Image Filtering", ECCV 2010. In each window the answer
    is a * plane + b, with a from 0 where the plane's variance is far below that of the
    error to 1 where it is far above; the mean stays.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        Pixels that are not finite count nowhere.
    variance_yxs : ndarray, shape (Y, X, samples)
        Of each pixel's error, in the plane's units squared.

    Returns
    -------
    smoothed_yxs : ndarray of float32, shape (Y, X, samples)
    slope_yxs : ndarray of float32, shape (Y, X, samples)
        The mean of a over the windows that hold the pixel: how much of it is left.
    """
    known = np.isfinite(plane_yxs)
    values = np.where(known, plane_yxs, 0.0).astype(np.float64)
    counts = np.maximum(window_means(known.astype(np.float64)), 1e-9)
    mean = window_means(values) / counts
    spread = np.maximum(window_means(values**2) / counts - mean**2, 0.0)
    slope = spread / np.maximum(spread + variance_yxs, np.finfo(np.float64).tiny)
    height = window_means((1 - slope) * mean)
    slope = window_means(slope)
    return (slope * values + height).astype(np.float32), slope.astype(np.float32)


def window_means(
    plane_yxs: NDArray[np.float64], side: int = WINDOW
) -> NDArray[np.float64]:
    """Return the mean over the window around each pixel, sample by sample.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        Mirrored beyond its edges.
    side : int
        Of the window, in pixels.

    Returns
    -------
    ndarray, shape (Y, X, samples)
        By rounding a mean of squares may lie a little below 0.
    """
    means: NDArray[np.float64] = uniform_filter(plane_yxs, (side, side, 1))
    return means
