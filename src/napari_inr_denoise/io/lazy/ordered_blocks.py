"""The values of an image in another order of axes, part by part."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.io.record import ImageRecord

_PLANE = "YXS"
Place = tuple[int | slice, ...]


class OrderedBlocks:
    """What a file holds: axes in its order, native byte order, no booleans.

    Parameters
    ----------
    record : ImageRecord
        Axes in any order; the values are read only part by part.
    order : str
        The file's order of axes, Y, X and S last.

    Attributes
    ----------
    axes : str
        The record's axes in that order.
    shape : tuple of int
    dtype : dtype
    """

    def __init__(self, record: ImageRecord, order: str) -> None:
        self._data, self._own = record.data, record.axes
        self.axes = "".join(letter for letter in order if letter in record.axes)
        sizes = dict(zip(record.axes, record.data.shape, strict=True))
        self.shape = tuple(int(sizes[letter]) for letter in self.axes)
        boolean = record.data.dtype == np.bool_
        kind = np.dtype(np.uint8) if boolean else record.data.dtype
        self.dtype: np.dtype[Any] = kind.newbyteorder("=")
        self._outer = [letter for letter in self.axes if letter not in _PLANE]
        self._sizes = sizes

    @property
    def nbytes(self) -> int:
        """Bytes of all values."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def page_pixels(self) -> int:
        """Pixels of a plane."""
        return int(self._sizes["Y"] * self._sizes["X"])

    @property
    def planes(self) -> int:
        """Number of planes."""
        return math.prod(int(self._sizes[letter]) for letter in self._outer)

    def blocks(self, side: int | None = None) -> Iterator[tuple[Place, NDArray[Any]]]:
        """Yield plane after plane, or tile after tile of them, and its place.

        Parameters
        ----------
        side : int, optional
            Of the tiles; the last ones may be smaller.
        """
        for position in self._positions():
            for rows, columns in self._windows(side):
                chosen: dict[str, int | slice] = {
                    "Y": rows,
                    "X": columns,
                    "S": slice(None),
                }
                chosen |= zip(self._outer, position, strict=True)
                where = tuple(chosen[letter] for letter in self.axes)
                yield where, self._part(chosen)

    def _windows(self, side: int | None) -> Iterator[tuple[slice, slice]]:
        """Yield the rows and columns of each part of a plane."""
        height, width = self._sizes["Y"], self._sizes["X"]
        for top in range(0, height, side or height):
            for left in range(0, width, side or width):
                yield (
                    slice(top, min(top + (side or height), height)),
                    slice(left, min(left + (side or width), width)),
                )

    def _positions(self) -> Iterator[tuple[int, ...]]:
        return product(*(range(self._sizes[letter]) for letter in self._outer))

    def _part(self, chosen: dict[str, int | slice]) -> NDArray[Any]:
        block = np.asarray(self._data[tuple(chosen[letter] for letter in self._own)])
        inner = [letter for letter in self._own if letter in _PLANE]
        wanted = [letter for letter in self.axes if letter in _PLANE]
        ordered = block.transpose([inner.index(letter) for letter in wanted])
        return np.ascontiguousarray(ordered, dtype=self.dtype)
