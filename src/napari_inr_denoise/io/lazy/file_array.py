"""An image in a file as an array of which only what is asked for is read."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, Index, resolve
from napari_inr_denoise.image.virtual_array import ArrayByParts


class LazyArray(ArrayByParts):
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
