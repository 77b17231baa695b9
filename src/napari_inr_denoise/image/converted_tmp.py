"""An image in another type, converted where it is read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.conversion import as_dtype


class ConvertedView:
    """An image whose values are rounded and clipped to a type when they are read.

    Parameters
    ----------
    source : array-like of float32
        Read by whole numbers and slices.
    dtype : dtype
        The type that is wanted.

    Attributes
    ----------
    clipped : int
        How many of the values read so far did not fit.
    """

    def __init__(self, source: Any, dtype: np.dtype[Any]) -> None:  # noqa: ANN401 - any array
        self._source = source
        self.shape: tuple[int, ...] = source.shape
        self.dtype = dtype
        self.ndim = len(self.shape)
        self.clipped = 0

    def __getitem__(self, selection: Any) -> NDArray[Any]:  # noqa: ANN401 - as numpy
        """Return a part of the image."""
        block, clipped = as_dtype(self._source[selection], self.dtype)
        self.clipped += clipped
        return block
