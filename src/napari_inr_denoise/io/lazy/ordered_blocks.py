"""Values of an image in the axis order of a file, block by block."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.io.record import ImageRecord

_PLANE = "YXS"
IndexedBlock = tuple[tuple[int | slice, ...], NDArray[Any]]
"""Index of a block in the image, and its values."""


def tiles(height: int, width: int, side: int | None) -> Iterator[tuple[slice, slice]]:
    """Yield the rows and columns of each tile of a plane; None: of the whole plane."""
    for top in range(0, height, side or height):
        for left in range(0, width, side or width):
            yield (
                slice(top, min(top + (side or height), height)),
                slice(left, min(left + (side or width), width)),
            )


class OrderedBlocks:
    """Image in the axis order of a file, in native byte order.

    Parameters
    ----------
    record : ImageRecord
        Axes in any order; the values are read in blocks.
    order : str
        Axis order of the file, with Y, X and S last.

    Attributes
    ----------
    axes : str
        Axes of the record in that order.
    shape : tuple of int
    dtype : dtype
        uint8 for a boolean image.
    """

    def __init__(self, record: ImageRecord, order: str) -> None:
        self._data, self._record_axes = record.data, record.axes
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
    def pixels_per_plane(self) -> int:
        """Number of pixels of a plane."""
        return int(self._sizes["Y"] * self._sizes["X"])

    @property
    def planes(self) -> int:
        """Number of planes."""
        return math.prod(int(self._sizes[letter]) for letter in self._outer)

    def blocks(self, side: int | None = None) -> Iterator[IndexedBlock]:
        """Yield the index and the values of each plane, or each tile of it.

        Parameters
        ----------
        side : int, optional
            Side of the tiles in pixels; the last ones may be smaller.
        """
        for position in self._positions():
            for rows, columns in tiles(self._sizes["Y"], self._sizes["X"], side):
                chosen: dict[str, int | slice] = {
                    "Y": rows,
                    "X": columns,
                    "S": slice(None),
                }
                chosen |= zip(self._outer, position, strict=True)
                index = tuple(chosen[letter] for letter in self.axes)
                yield index, self._read(chosen)

    def _positions(self) -> Iterator[tuple[int, ...]]:
        return product(*(range(self._sizes[letter]) for letter in self._outer))

    def _read(self, chosen: dict[str, int | slice]) -> NDArray[Any]:
        block = np.asarray(
            self._data[tuple(chosen[letter] for letter in self._record_axes)]
        )
        inner = [letter for letter in self._record_axes if letter in _PLANE]
        wanted = [letter for letter in self.axes if letter in _PLANE]
        ordered = block.transpose([inner.index(letter) for letter in wanted])
        return np.ascontiguousarray(ordered, dtype=self.dtype)
