"""An array that shows one array left of a divide and another one right of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, as_slices
from napari_inr_denoise.image.virtual_array import VirtualArray


class SplitArray(VirtualArray):
    """Two arrays of one shape, cut at a divide; computed where it is indexed.

    It has the interface that napari needs to show an array slice by slice.

    Parameters
    ----------
    before : array, dask or zarr
        Shown left of the divide. The last slice is cached: reading may be slow.
    after : array
        Shown right of the divide.

    Attributes
    ----------
    axis : int
        The dimension that the divide cuts.
    divide : float
        Position of the divide as a fraction of that dimension's length, 0 to 1.
    mirrored : bool
        Whether `before` is at the high end of the dimension instead.

    Raises
    ------
    ValueError
        If the shapes differ.
    """

    def __init__(self, before: Any, after: Any) -> None:  # noqa: ANN401 - any array
        if tuple(before.shape) != tuple(after.shape):
            raise ValueError(
                f"got a result of shape {tuple(after.shape)}, wanted that of its "
                f"source, {tuple(before.shape)}. Run again."
            )
        self.before, self.after = before, after
        self.shape = tuple(after.shape)
        # The type of the result: it can hold the noisy integers as well.
        self.dtype = np.dtype(after.dtype)
        self.axis, self.divide, self.mirrored = len(after.shape) - 1, 0.5, False
        self._kept: tuple[list[Bounds], NDArray[Any]] | None = None

    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        after = self.after[as_slices(bounds)]
        return np.where(self._left_of(bounds), self._before(bounds), after)

    def _left_of(self, bounds: list[Bounds]) -> NDArray[np.bool_]:
        """Return which columns of a block are left of the divide, for broadcasting."""
        size = self.shape[self.axis]
        share = 1 - self.divide if self.mirrored else self.divide
        inside = np.arange(size) < round(share * size)
        columns = (inside ^ self.mirrored)[slice(*bounds[self.axis])]
        return columns.reshape(-1, *(1,) * (self.ndim - 1 - self.axis))

    def _before(self, bounds: list[Bounds]) -> NDArray[Any]:
        if self._kept is None or self._kept[0] != bounds:
            self._kept = bounds, np.asarray(self.before[as_slices(bounds)])
        return self._kept[1]
