"""A crop of an array that is read only where it is indexed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds
from napari_inr_denoise.image.virtual_array import VirtualArray


def crop_of(data: Any, selection: tuple[slice, ...]) -> Any:  # noqa: ANN401
    """Return a crop of an array: a view of a NumPy array, else a lazy crop.

    Parameters
    ----------
    data : array, dask or zarr
        Data of a layer.
    selection : tuple of slice
        Slices without steps for the first dimensions.
    """
    if all(at == slice(None) for at in selection):
        return data
    if isinstance(data, np.ndarray):
        return data[selection]
    return LazyCrop(data, selection)


class LazyCrop(VirtualArray):
    """A crop of a lazy array; parameters as for `crop_of`."""

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
