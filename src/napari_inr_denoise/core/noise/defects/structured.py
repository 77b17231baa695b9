"""Structured noise: what is the same along a line or over a plane, and is not light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.defects.interference import interference
from napari_inr_denoise.core.noise.defects.line_noise import line_noise


def without_structured_noise(
    values_yxs: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    pattern_yxs: NDArray[np.float64] | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return a plane without structured noise, and what was removed.

    A known pattern, then the noise of whole rows and columns, then interference.

    Parameters
    ----------
    values_yxs : ndarray, shape (Y, X, samples)
        Intensities.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels to use.
    pattern_yxs : ndarray, shape (Y, X, samples), or None
        From `fixed_pattern`.

    Returns
    -------
    values_yxs : ndarray, shape (Y, X, samples)
        The plane without it.
    removed_yxs : ndarray, shape (Y, X, samples), or None
        The sum of all of it; None if there was none.
    """
    removed = pattern_yxs if pattern_yxs is not None and pattern_yxs.any() else None
    values = values_yxs if removed is None else values_yxs - removed
    for find in (line_noise, interference):
        found = find(values, valid_yx)
        if found is not None:
            values = values - found
            removed = found if removed is None else removed + found
    return values, removed
