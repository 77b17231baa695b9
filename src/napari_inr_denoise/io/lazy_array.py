"""An image in a file as an array of which only what is asked for is read."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.io.selection import Bounds, Index, resolve


class LazyArray(ABC):
    """Values that stay in a file until they are asked for.

    Attributes
    ----------
    path : Path
        The file.
    shape : tuple of int
    dtype : dtype
        In native byte order.
    """

    path: Path
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
        """Bytes that all the values take."""
        return self.size * self.dtype.itemsize

    def __array__(
        self, dtype: np.dtype[Any] | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """Read everything; it is always a new array."""
        return self[...].astype(dtype or self.dtype, copy=False)

    def __getitem__(self, selection: Index | tuple[Index, ...]) -> NDArray[Any]:
        """Read a part, given by whole numbers and slices.

        Raises
        ------
        IndexError
            If there is no such part.
        ValueError
            If the file is damaged there.
        """
        bounds, place = resolve(selection, self.shape)
        if any(start == stop for start, stop in bounds):
            return np.empty([stop - start for start, stop in bounds], self.dtype)[place]
        try:
            return np.array(self._block(bounds)[place], dtype=self.dtype)
        except MemoryError as error:
            raise ValueError(
                f"{self.path}: a part of {_shape_text(bounds)} pixels does not fit "
                "into memory. Read smaller parts, or free memory."
            ) from error
        except Exception as error:
            raise ValueError(
                f"{self.path}: the pixels could not be read; the file is damaged or of "
                f"a kind that is not known ({type(error).__name__}: {error})."
            ) from error

    @abstractmethod
    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        """Read a block that is not empty."""


def _shape_text(bounds: list[Bounds]) -> str:
    """Return the shape of a block as 3 x 4 x 5."""
    return " x ".join(str(stop - start) for start, stop in bounds)
