"""An image in a plain file of float32, written and read part by part."""

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


class RawImage(VirtualArray):
    """Values in C order, little end first.

    Ordinary reads and writes, no memory map: mapped pages count as memory that is
    used for as long as the system likes.

    Parameters
    ----------
    path : Path
        The file.
    shape : tuple of int
        Of the image.
    create : bool
        Begin with zeros instead of going on with what is there.
    """

    dtype = np.dtype("<f4")

    def __init__(self, path: Path, shape: tuple[int, ...], *, create: bool) -> None:
        self.shape = shape
        self._file = path.open("w+b" if create else "r+b")
        self._file.truncate(_BYTES * self.size)

    def _block(self, bounds: list[Bounds]) -> NDArray[np.float32]:
        block = np.empty(block_shape(bounds), self.dtype)
        for offset, part in self._runs(bounds, block):
            self._file.seek(offset)
            self._file.readinto(part.data)
        return block

    def __setitem__(
        self, selection: Index | tuple[Index, ...], values: NDArray[Any]
    ) -> None:
        """Write a part, given by whole numbers and slices without steps."""
        bounds, place = resolve(selection, self.shape)
        block = np.empty(block_shape(bounds), self.dtype)
        block[place] = values
        for offset, part in self._runs(bounds, block):
            self._file.seek(offset)
            self._file.write(part.data)

    def _runs(
        self, bounds: list[Bounds], block: NDArray[Any]
    ) -> Iterator[tuple[int, NDArray[Any]]]:
        """Yield, for each run of a block, its place in the file and its values."""
        if block.size == 0:
            return
        # Trailing dimensions that are whole make one run with the one before them.
        last = len(bounds) - 1
        while last > 0 and bounds[last] == (0, self.shape[last]):
            last -= 1
        for position in product(*(range(*one) for one in bounds[:last])):
            at = tuple(k - one[0] for k, one in zip(position, bounds, strict=False))
            first = (*position, *(start for start, _ in bounds[last:]))
            number = int(np.ravel_multi_index(first, self.shape))
            yield _BYTES * number, block[at].reshape(-1)

    def flush(self) -> None:
        """Return when all is safely on disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()
