"""Array in a plain file of float32, written and read in blocks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, Index, block_shape, resolve
from napari_inr_denoise.image.virtual_array import VirtualArray

_BYTES = 4
_FILL_VALUES = 2**18


class RawArray(VirtualArray):
    """Array in C order, little-endian.

    Ordinary reads and writes, no memory map: the system counts mapped pages as used
    memory.

    Parameters
    ----------
    path : Path
        File.
    shape : tuple of int
        Shape of the array.
    create : bool
        Whether to create the file, with `fill` everywhere, or to open an existing one.
    fill : float
        Value of a new array.
    """

    dtype = np.dtype("<f4")

    def __init__(
        self, path: Path, shape: tuple[int, ...], *, create: bool, fill: float = 0.0
    ) -> None:
        self.shape = shape
        self._file = path.open("w+b" if create else "r+b")
        self._file.truncate(_BYTES * self.size)
        if create and fill != 0:
            self._fill(fill)

    def _fill(self, value: float) -> None:
        block = np.full(min(self.size, _FILL_VALUES), value, self.dtype)
        for start in range(0, self.size, _FILL_VALUES):
            self._file.write(block[: self.size - start].data)

    def _block(self, bounds: list[Bounds]) -> NDArray[np.float32]:
        block = np.empty(block_shape(bounds), self.dtype)
        for offset, part in self._runs(bounds, block):
            self._file.seek(offset)
            self._file.readinto(part.data)
        return block

    def __setitem__(
        self, selection: Index | tuple[Index, ...], values: NDArray[Any]
    ) -> None:
        """Write a block, given by integers and slices without steps."""
        bounds, place = resolve(selection, self.shape)
        block = np.empty(block_shape(bounds), self.dtype)
        block[place] = values
        for offset, part in self._runs(bounds, block):
            self._file.seek(offset)
            self._file.write(part.data)

    def _runs(
        self, bounds: list[Bounds], block: NDArray[Any]
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield the file offset and the values of each contiguous run of a block."""
        if block.size == 0:
            return
        # Trailing dimensions that are complete are contiguous with the one before.
        last = len(bounds) - 1
        while last > 0 and bounds[last] == (0, self.shape[last]):
            last -= 1
        for position in product(*(range(*one) for one in bounds[:last])):
            at = tuple(k - one[0] for k, one in zip(position, bounds, strict=False))
            first = (*position, *(start for start, _ in bounds[last:]))
            number = int(np.ravel_multi_index(first, self.shape))
            yield _BYTES * number, block[at].reshape(-1)

    def flush(self) -> None:
        """Wait until all values are on disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
