"""Overlapping tiles of a large plane, with blending weights that sum to one.

::

    size 14, three spans of 6, each overlaps the next by 2

    0 0 0 0 0 0
            1 1 1 1 1 1
                    2 2 2 2 2 2
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MARGIN = 40
"""Width in pixels of the border of a tile with weight 0, where another tile adjoins:
results there lack a part of their surroundings."""
RAMP = 32
"""Width in pixels of the linear transition from one tile to the next."""
_OVERLAP = 2 * MARGIN + RAMP
MIN_TILE_SIDE = 3 * _OVERLAP
"""Minimum side of a tile in pixels: with less, three tiles would overlap."""


@dataclass(frozen=True)
class Span:
    """Extent of a tile along one axis.

    Attributes
    ----------
    start, stop : int
        First pixel, and the one after the last.
    weights : ndarray of float32, shape (stop - start,)
        Blending weights; those of all spans sum to one in each pixel.
    """

    start: int
    stop: int
    weights: NDArray[np.float32] = field(repr=False)

    @property
    def place(self) -> slice:
        """Pixels of the span along the axis."""
        return slice(self.start, self.stop)

    @property
    def own(self) -> slice:
        """Pixels of weight one, counted from the start of the span."""
        inside = np.flatnonzero(self.weights == 1)
        return slice(int(inside[0]), int(inside[-1]) + 1)


@dataclass(frozen=True)
class Tile:
    """Rectangular part of a plane.

    Attributes
    ----------
    number : int
        Position in the tiling, row by row.
    rows, columns : Span
        Extent along Y and X.
    """

    number: int
    rows: Span
    columns: Span

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the tile in the plane."""
        return self.rows.place, self.columns.place

    @property
    def own(self) -> tuple[slice, slice]:
        """Rows and columns of weight one, counted from the first of the tile."""
        return self.rows.own, self.columns.own

    @property
    def weights_yx(self) -> NDArray[np.float32]:
        """Blending weights; those of all tiles sum to one in each pixel."""
        return np.outer(self.rows.weights, self.columns.weights)


@dataclass(frozen=True)
class Tiling:
    """Grid of tiles for planes of one shape; one tile for small planes.

    Attributes
    ----------
    shape_yx : tuple of int
        Height and width of a plane.
    rows, columns : tuple of Span
        Extents of the rows and columns of the grid.
    """

    shape_yx: tuple[int, int]
    rows: tuple[Span, ...]
    columns: tuple[Span, ...]

    @classmethod
    def of(cls, shape_yx: tuple[int, int], side: int) -> Tiling:
        """Return tiles of about equal size, none with more pixels than a square.

        Parameters
        ----------
        shape_yx : tuple of int
            Height and width of a plane.
        side : int
            Side of that square in pixels; raised to `MIN_TILE_SIDE` if smaller.
        """
        side = max(side, MIN_TILE_SIDE)
        height, width = shape_yx
        if height * width <= side**2:
            return cls(shape_yx, _spans(height, height), _spans(width, width))
        return cls(shape_yx, _spans(height, side), _spans(width, side))

    @property
    def tiles(self) -> list[Tile]:
        """All tiles, row by row."""
        pairs = [(rows, columns) for rows in self.rows for columns in self.columns]
        return [Tile(number, *pair) for number, pair in enumerate(pairs)]

    @property
    def count(self) -> int:
        """Number of tiles."""
        return len(self.rows) * len(self.columns)

    @property
    def most_pixels(self) -> int:
        """Number of pixels of the largest tile."""
        return math.prod(
            max(len(span.weights) for span in spans)
            for spans in (self.rows, self.columns)
        )


def _spans(size: int, longest: int) -> tuple[Span, ...]:
    """Cover an axis with as few spans as possible, of about equal length."""
    if size <= longest:
        return (Span(0, size, np.ones(size, dtype=np.float32)),)
    count = -(-(size - _OVERLAP) // (longest - _OVERLAP))
    length = -(-(size + (count - 1) * _OVERLAP) // count)
    starts = [round(k * (size - length) / (count - 1)) for k in range(count)]
    shares = [np.ones(length, dtype=np.float32) for _ in starts]
    for one, other in zip(range(count), range(1, count), strict=False):
        shared = starts[one] + length - starts[other]
        rising = _rise(shared)
        shares[one][length - shared :] = 1 - rising
        shares[other][:shared] = rising
    pairs = zip(starts, shares, strict=True)
    return tuple(Span(start, start + length, share) for start, share in pairs)


def _rise(shared: int) -> NDArray[np.float32]:
    """Return the weights of the later of two spans in their overlap: from 0 to 1."""
    steps = (np.arange(shared) + 0.5 - MARGIN) / (shared - 2 * MARGIN)
    return np.clip(steps, 0, 1).astype(np.float32)
