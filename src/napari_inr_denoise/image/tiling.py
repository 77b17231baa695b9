"""Tiles of a large plane, and windows for blending them that sum to one.

::

    size 14, three spans of 6, each sharing 2 with the next

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
"""Width, in pixels, of what of a tile is not used where another lies beside it: results
there lack a part of their surroundings."""
RAMP = 32
"""Width, in pixels, of what goes over from one tile to the next."""
_OVERLAP = 2 * MARGIN + RAMP
LEAST_SIDE = 3 * _OVERLAP
"""Below it three tiles would share a pixel."""


@dataclass(frozen=True)
class Span:
    """A part of a line.

    Attributes
    ----------
    start, stop : int
        In pixels.
    weights : ndarray of float32, shape (stop - start,)
        Of its values in the blend; those of all spans sum to one everywhere.
    """

    start: int
    stop: int
    weights: NDArray[np.float32] = field(repr=False)

    @property
    def place(self) -> slice:
        """Where it lies in the line."""
        return slice(self.start, self.stop)

    @property
    def own(self) -> slice:
        """The part, counted from its start, that no other span has a share in."""
        inside = np.flatnonzero(self.weights == 1)
        return slice(int(inside[0]), int(inside[-1]) + 1)


@dataclass(frozen=True)
class Tile:
    """A part of a plane.

    Attributes
    ----------
    number : int
        Counted row by row.
    rows, columns : Span
        Where it lies.
    """

    number: int
    rows: Span
    columns: Span

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the plane."""
        return self.rows.place, self.columns.place

    @property
    def own(self) -> tuple[slice, slice]:
        """Rows and columns, counted from its first, that are this tile's alone."""
        return self.rows.own, self.columns.own

    @property
    def weights_yx(self) -> NDArray[np.float32]:
        """Weights in the blend; those of all tiles sum to one in each pixel."""
        return np.outer(self.rows.weights, self.columns.weights)


@dataclass(frozen=True)
class Tiling:
    """How planes of a shape are cut; one tile where they are small.

    Attributes
    ----------
    shape_yx : tuple of int
        Of a plane.
    rows, columns : tuple of Span
        Each row of tiles has all the columns.
    """

    shape_yx: tuple[int, int]
    rows: tuple[Span, ...]
    columns: tuple[Span, ...]

    @classmethod
    def of(cls, shape_yx: tuple[int, int], side: int) -> Tiling:
        """Cut planes into tiles of about one size, none with more pixels than a square.

        Parameters
        ----------
        shape_yx : tuple of int
            Height and width of a plane.
        side : int
            Of that square, in pixels; at least `LEAST_SIDE` is taken.
        """
        side = max(side, LEAST_SIDE)
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
        """How many tiles there are."""
        return len(self.rows) * len(self.columns)

    @property
    def most_pixels(self) -> int:
        """Of the largest tile."""
        return math.prod(
            max(len(span.weights) for span in spans)
            for spans in (self.rows, self.columns)
        )


def _spans(size: int, longest: int) -> tuple[Span, ...]:
    """Cut a line into as few spans as possible, about equally long."""
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
    """Return the later span's weights where two overlap: 0, then up, then 1."""
    steps = (np.arange(shared) + 0.5 - MARGIN) / (shared - 2 * MARGIN)
    return np.clip(steps, 0, 1).astype(np.float32)
