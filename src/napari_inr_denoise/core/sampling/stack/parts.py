"""Parts of the planes of a series: how they are read, and which."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Values = tuple[NDArray[np.float64], NDArray[np.bool_]]
"""Intensities (Y, X, samples) of a plane or a part of it, and its valid mask (Y, X)."""
ReadPart = Callable[[int, tuple[slice, slice]], Values]
"""Function from a plane number and a window (rows, columns) to values."""
CROP = 512
"""Side, in pixels, of the crops of a plane for measurements and training."""


def spread(count: int, most: int) -> list[int]:
    """Return up to `most` integers, evenly spaced over 0 to count - 1."""
    return sorted({int(k) for k in np.linspace(0, count - 1, min(count, most))})


def centre(window: tuple[slice, slice], most: int = CROP) -> tuple[slice, slice]:
    """Return the central part of a window, at most `most` pixels on a side."""
    rows, columns = (
        slice(first, min(first + most, one.stop))
        for one in window
        for first in [one.start + max(one.stop - one.start - most, 0) // 2]
    )
    return rows, columns
