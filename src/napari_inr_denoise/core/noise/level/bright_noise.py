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
"""Quantile of the predicted intensities that ends their range."""
_RADIUS = 2
"""Reach, in pixels, of the prediction."""
_LARGEST_GAIN = 0.5
"""Noise that a prediction has, over that of a pixel, from which it is not used: it then
follows edges that are too sharp for it."""
_ROUNDS = 6
_OUTLIER = 12.0
"""Squared residual over its expectation from which a pixel is left out."""
_CERTAIN = 6.0
"""Standard errors from which a slope is certain."""
_LEAST = 1e-3

_y, _x = np.abs(np.mgrid[-_RADIUS : _RADIUS + 1, -_RADIUS : _RADIUS + 1])
_PLACES = [
    (np.maximum(_y, _x) == far) & (np.minimum(_y, _x) == near)
    for far in range(1, _RADIUS + 1)
    for near in range(far + 1)
]
"""Neighbours at the same distance, which have the same weight in the prediction."""


def with_bright_noise(
    curve: NoiseLevelFunction,
    plane_yx: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
) -> NoiseLevelFunction:
    """Return a level function with its slope beyond the measured bins.

    Each pixel is predicted from its neighbours, without itself, by the linear
    combination that fits the plane best. The squared residual at a predicted intensity
    is the noise of pixel and prediction, which has a constant part and one that grows
    with the intensity, and the error on structure, which grows with its square.

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
        The same curve if its bins cover a tenth of the intensities or more, or if the
        residual does not tell.
    """
    dark, last = curve.intensities[0], curve.intensities[-2]
    found = _slope(plane_yx - dark, valid_yx, (last - dark) / _NARROW)
    if found is None:
        return curve
    at_last = float(curve.variance(np.array([last]))[0])
    return replace(
        curve, gain=found, variance_at_zero=at_last - found * last, extra_slope=0.0
    )


def _slope(
    plane_yx: NDArray[np.floating], valid_yx: NDArray[np.bool_], least: float
) -> float | None:
    """Return the growth of the noise variance with the intensity.

    Parameters
    ----------
    plane_yx, valid_yx
        As for `with_bright_noise`, with an intensity of 0 in the dark.
    least : float
        Smallest range of intensities.
    """
    filled = fill_invalid(plane_yx, valid_yx).astype(np.float64)
    inside = binary_erosion(valid_yx, np.ones(_y.shape), border_value=1)
    if np.quantile(filled[valid_yx], _BRIGHTEST) <= least or not inside.any():
        return None
    means = [
        convolve(filled, place / place.sum(), mode="mirror")[inside]
        for place in _PLACES
    ]
    around, own = np.stack(means, axis=1), filled[inside]
    weights = np.linalg.lstsq(around, own, rcond=None)[0]
    counts = np.array([place.sum() for place in _PLACES])
    noise = float(np.sum(weights**2 / counts))
    predicted = np.maximum(around @ weights, 0.0)
    brightest = float(np.quantile(predicted, _BRIGHTEST))
    if noise > _LARGEST_GAIN or brightest <= least:
        return None
    share = predicted / brightest
    terms = np.stack([np.ones_like(share), share, share**2], axis=1)
    squared = (own - around @ weights) ** 2
    usual_square = float(np.median(squared))
    if not usual_square > 0:
        return None  # most pixels are what their neighbours say, to the last digit
    expected = usual_square * (1 + share * brightest / max(least, _LEAST))
    for _ in range(_ROUNDS):
        usual = (squared < _OUTLIER * expected) / expected
        parts, _ = nnls(terms * usual[:, None], squared * usual)
        expected = np.maximum(terms @ parts, _LEAST * squared.mean())
    usual = (squared < _OUTLIER * expected) / expected
    scaled = terms * usual[:, None]
    # A squared normal deviation has a variance of 2.
    error = math.sqrt(max(2 * np.linalg.pinv(scaled.T @ scaled)[1, 1], 0.0))
    if error == 0 or parts[1] < _CERTAIN * error:
        return None  # 0 by rounding: all pixels are equally bright
    return float(parts[1] / brightest / (1 + noise))
