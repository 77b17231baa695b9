"""A part of an array that is read no sooner than it is needed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds
from napari_inr_denoise.image.virtual_array import VirtualArray


def part_of(data: Any, selection: tuple[slice, ...]) -> Any:  # noqa: ANN401
    """Return a part of an array: a view in memory, or one that is not read yet.

    Parameters
    ----------
    data : array, dask or zarr
        What a layer holds.
    selection : tuple of slice
        Of its first dimensions; without steps.
    """
    if all(at == slice(None) for at in selection):
        return data
    if isinstance(data, np.ndarray):
        return data[selection]
    return LazyPart(data, selection)


class LazyPart(VirtualArray):
    """A part of a lazy array; parameters are those of `part_of`."""

    def __init__(self, data: Any, selection: tuple[slice, ...]) -> None:  # noqa: ANN401
        rest = (slice(None),) * (data.ndim - len(selection))
        pairs = zip((*selection, *rest), data.shape, strict=True)
        self._data = data
        self._bounds = [at.indices(size)[:2] for at, size in pairs]
        self.shape = tuple(stop - start for start, stop in self._bounds)
        self.dtype = np.dtype(data.dtype)

    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        at = tuple(
            slice(first + start, first + stop)
            for (first, _), (start, stop) in zip(self._bounds, bounds, strict=True)
        )
        return np.asarray(self._data[at])
