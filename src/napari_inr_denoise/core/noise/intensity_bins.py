"""Intensity bins (quantiles) with about the same number of pixels in each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def by_intensity(
    values: NDArray[np.floating], groups: int
) -> tuple[NDArray[np.intp], ...]:
    """Return the indices of the values in each intensity bin.

    Parameters
    ----------
    values : ndarray, shape (N,)
        Without NaN. Equal values fall into the same bin.
    groups : int
        Largest number of bins, up to 255.

    Returns
    -------
    tuple of ndarray of int
        Bins by rising intensity, each with ascending indices; none is empty.
    """
    if not len(values):
        return ()
    # Sorting the values and then argsorting 8-bit bin numbers takes a sixth of the time
    # of argsorting the values.
    ascending = np.sort(values)
    edges = ascending[np.arange(1, groups) * len(values) // groups]
    number = np.zeros(len(values), dtype=np.uint8)
    for edge in edges:
        number += values >= edge
    indices = np.argsort(number, kind="stable")
    ends = np.cumsum(np.bincount(number, minlength=groups))[:-1]
    return tuple(part for part in np.split(indices, ends) if len(part))
