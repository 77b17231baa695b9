"""Base class of arrays in a file that are read where they are indexed."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, block_shape
from napari_inr_denoise.image.virtual_array import VirtualArray
from napari_inr_denoise.io.faults import fault_of


class FileArray(VirtualArray):
    """Array whose values stay in a file until they are indexed.

    Indexing raises ValueError, with the name of the file, if the file cannot be
    read, or the block does not fit into memory. A subclass reads one block in
    `_read_block`.

    Attributes
    ----------
    path : Path
        The file.
    shape : tuple of int
    dtype : dtype
        In native byte order.
    """

    path: Path

    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        try:
            return np.array(self._read_block(bounds), self.dtype, order="C")
        except MemoryError as error:
            shape = " x ".join(map(str, block_shape(bounds)))
            raise ValueError(
                f"{self.path}: a block of {shape} pixels does not fit into memory. "
                "Read smaller blocks, or free memory."
            ) from error
        except Exception as error:
            raise ValueError(fault_of(self.path, error, "pixels")) from error

    @property
    def missing(self) -> str:
        """What the file should hold but does not, as text; empty if it is whole."""
        return ""

    def find_damage(self) -> None:
        """Count as missing what the file holds, but cut short.

        Only what costs a pass over the whole file: the rest is known from the start.
        """

    def missing_in(self, bounds: list[Bounds]) -> NDArray[np.bool_]:
        """Return which values of a block the file does not hold."""
        return np.zeros(block_shape(bounds), np.bool_)

    @abstractmethod
    def _read_block(self, bounds: list[Bounds]) -> NDArray[Any]:
        """Return the values of a block that is not empty, in any byte order."""


class MissingMask(VirtualArray):
    """Mask of the values that a file does not hold.

    Parameters
    ----------
    data : FileArray
        The values.
    """

    dtype = np.dtype(np.bool_)

    def __init__(self, data: FileArray) -> None:
        self._data, self.shape = data, data.shape

    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        return self._data.missing_in(bounds)
