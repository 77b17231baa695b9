"""Detect constant fill: the padding of mosaics, rotated, deskewed or missing parts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import (
    binary_dilation,
    binary_opening,
    binary_propagation,
    maximum_filter,
    minimum_filter,
)

_SIDE = 9
"""Side of the smallest square of equal values that is fill, in pixels."""
_RING = 3
"""Width of the border around a region of fill, in pixels."""
_MOST_AROUND = 0.5
"""Largest share of the value in this border: zeros of a dark background are scattered
around their regions too. Regions in which a camera cut off all noise may be found; they
hold no more than fill does."""
_SATURATED_AROUND = 0.05
"""The same for the largest value, which may be that of saturated pixels."""
_MOST_VALUES = 8


def constant_fill(
    values_yxs: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return the mask of pixels that were filled with a constant, not measured.

    Measured pixels have noise, so that a large square of exactly equal values with an
    edge around it is fill.

    Parameters
    ----------
    values_yxs : ndarray, shape (Y, X, samples)
        Intensities.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels that have a value.

    Returns
    -------
    ndarray of bool, shape (Y, X)
        True for fill; all pixels of a plane with one value only.
    """
    nothing = np.zeros(valid_yx.shape, dtype=np.bool_)
    if min(valid_yx.shape) < _SIDE or not valid_yx.any():
        return nothing
    equal = (values_yxs[:, 1:] == values_yxs[:, :-1]).all(axis=-1)
    if equal.mean() < _SIDE**2 / valid_yx.size / 2:  # the usual case, and fast
        return nothing
    size = (_SIDE, _SIDE, 1)
    lowest, highest = minimum_filter(values_yxs, size), maximum_filter(values_yxs, size)
    core = np.asarray((lowest == highest).all(axis=-1) & valid_yx)
    # A square that reaches beyond the plane is not seen whole.
    half = _SIDE // 2
    core[:half], core[-half:], core[:, :half], core[:, -half:] = (False,) * 4
    found, largest = nothing, values_yxs[valid_yx].max(axis=0)
    for value in _most_frequent(values_yxs[core]):
        same = np.asarray((values_yxs == value).all(axis=-1) & valid_yx)
        region = maximum_filter(core & same, _SIDE)
        ring = binary_dilation(region, iterations=_RING) & ~region & valid_yx
        most = _SATURATED_AROUND if (value == largest).any() else _MOST_AROUND
        if not ring.any() or same[ring].mean() < most:
            found = found | binary_propagation(region, mask=_without_single(same))
    return found


def _without_single(mask_yx: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask without what is narrower than three pixels.

    Beside dark fill, single pixels to which no photon came belong to the image. An edge
    of fill at any angle stays whole.
    """
    beyond = np.pad(mask_yx, 2, mode="edge")
    opened = binary_opening(beyond, np.ones((3, 3), dtype=np.bool_))
    return np.asarray(opened[2:-2, 2:-2])


def measured_pixels(
    values_yxs: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], float]:
    """Return the valid pixels without constant fill, and the share of fill.

    Parameters
    ----------
    values_yxs, valid_yx : ndarray
        As for `constant_fill`.

    Returns
    -------
    measured_yx : ndarray of bool, shape (Y, X)
        A plane that is constant everywhere stays valid: it has no noise.
    share : float
        Share of all pixels that are fill, 0 to 1.
    """
    fill = constant_fill(values_yxs, valid_yx)
    measured = valid_yx & ~fill
    if not measured.any():
        measured = valid_yx
    return measured, float(fill.mean())


def _most_frequent(values: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the values (N, samples) that occur most often."""
    distinct, counts = np.unique(values, axis=0, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_MOST_VALUES]
    return np.asarray(distinct[order])
