"""The caller's image, of which never more is read than is needed."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_inr_denoise.core.arrays import as_array, check_image, to_floats
from napari_inr_denoise.core.axes import Plane

Window = tuple[slice, slice]
"""Rows and columns of a plane."""


class LazyArray(Protocol):
    """What an array must have to be read part by part: numpy, dask, Zarr, HDF5, ...

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
    ndim : int
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    ndim: int

    def __getitem__(self, selection: Any, /) -> Any:  # noqa: ANN401 - as numpy has it
        """Return the values at one whole number or slice per dimension."""


class ImageSource:
    """An image to denoise, checked as far as that is possible without reading it.

    Parameters
    ----------
    image : array_like
        Read part by part if it can be; made an array otherwise.

    Raises
    ------
    TypeError, ValueError
        See `check_image`.
    """

    def __init__(self, image: ArrayLike | LazyArray) -> None:
        lazy = not isinstance(image, np.ndarray) and _is_lazy(image)
        array: Any = image if lazy else as_array(image)
        self._array = array
        self.shape: tuple[int, ...] = tuple(int(n) for n in array.shape)
        self.dtype: np.dtype[Any] = array.dtype
        # The values of a lazy array are checked where they are read.
        check_image(np.empty((), self.dtype) if lazy and self.size else array)
        self._lazy = lazy

    @property
    def lazy(self) -> bool:
        """Whether the image is read part by part, perhaps from a disk."""
        return self._lazy

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape, dtype=np.int64))

    def block(self, selection: tuple[int | slice, ...]) -> NDArray[Any]:
        """Return a part of the image, as it is stored.

        Raises
        ------
        ValueError
            If a value is too large for float32.
        """
        block = np.asarray(self._array[selection])
        if self._lazy and block.size:
            check_image(block)
        return block

    def read(
        self, plane: Plane, window: Window
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return a part of a plane and its valid pixels.

        Parameters
        ----------
        plane : Plane
            Where it lies.
        window : tuple of slice
            Rows and columns.

        Returns
        -------
        values_yxs : ndarray of float64, shape (Y, X, samples)
            Without an alpha channel; 0 where they are not finite.
        valid_yx : ndarray of bool, shape (Y, X)
            Pixels all of whose values are finite.
        """
        block = plane.colours_yxs(self.block(plane.part(*window)))
        values, finite = to_floats(block)
        return values, np.asarray(finite.all(axis=-1))


def _is_lazy(image: object) -> bool:
    """Return whether an object can be read part by part."""
    named = all(hasattr(image, name) for name in ("shape", "ndim", "__getitem__"))
    return named and isinstance(getattr(image, "dtype", None), np.dtype)
