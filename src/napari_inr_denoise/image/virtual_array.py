"""What an array has that makes its values when they are asked for."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray


class ArrayByParts(ABC):
    """What numpy and napari want of an array, beside its parts.

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
        """Bytes that all the values take."""
        return self.size * self.dtype.itemsize

    def __array__(
        self, dtype: np.dtype[Any] | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """Return all of it; it is always a new array."""
        whole = self[(slice(None),) * self.ndim]
        return np.array(whole, dtype=dtype or self.dtype)

    @abstractmethod
    def __getitem__(self, selection: Any, /) -> NDArray[Any]:  # noqa: ANN401 - as numpy
        """Return the values at one whole number or slice per dimension."""
