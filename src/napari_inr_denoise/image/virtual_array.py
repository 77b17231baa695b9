"""Base class of arrays whose values are read or computed where they are indexed."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, Index, block_shape, resolve


class VirtualArray(ABC):
    """Array without stored values, as NumPy and napari can use it.

    A subclass sets `shape` and `dtype` and returns the values of one block::

        class Inverted(VirtualArray):
            def __init__(self, image):
                self._image, self.shape, self.dtype = image, image.shape, image.dtype

            def _block(self, bounds):
                return -self._image[as_slices(bounds)]

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all values."""
        return self.size * self.dtype.itemsize

    def __getitem__(self, selection: Index | tuple[Index, ...], /) -> NDArray[Any]:
        """Return the values at integers and slices, see `resolve`.

        Raises
        ------
        IndexError
            If an index is out of bounds or of another type.
        """
        bounds, place = resolve(selection, self.shape)
        shape = block_shape(bounds)
        block = self._block(bounds) if all(shape) else np.empty(shape, self.dtype)
        # A view of every second value would keep all of them in memory.
        return np.asarray(block[place], self.dtype, order="C")

    def __array__(
        self, dtype: np.dtype[Any] | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """Return all values."""
        return np.array(self[...], dtype, copy=copy)

    @abstractmethod
    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        """Return the values of a block that is not empty, in a new array."""
