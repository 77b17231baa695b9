"""Pixels in groups of rising intensity, about as many in each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def by_intensity(
    values: NDArray[np.floating], groups: int
) -> tuple[NDArray[np.intp], ...]:
    """Return where in an array the values of each group are.

    Parameters
    ----------
    values : ndarray, shape (N,)
        None of them NaN. Equal ones come into one group.
    groups : int
        How many at the most, up to 255.

    Returns
    -------
    tuple of ndarray of int
        By rising intensity, in each the places in their order; none is empty.
    """
    if not len(values):
        return ()
    # To sort values alone, and small whole numbers with their places, takes a sixth of
    # the time of sorting the values with their places.
    ascending = np.sort(values)
    edges = ascending[np.arange(1, groups) * len(values) // groups]
    number = np.zeros(len(values), dtype=np.uint8)
    for edge in edges:
        number += values >= edge
    places = np.argsort(number, kind="stable")
    ends = np.cumsum(np.bincount(number, minlength=groups))[:-1]
    return tuple(part for part in np.split(places, ends) if len(part))
