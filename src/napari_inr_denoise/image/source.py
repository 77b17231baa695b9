"""The caller's image, of which never more is read than is needed."""

from __future__ import annotations

from copy import copy
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.conversion import as_array, check_image, to_floats
from napari_inr_denoise.image.masked_tmp import NOTE, Mask, MaskedImage

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
    image : array_like or MaskedImage
        Read part by part if it can be; made an array otherwise.

    Raises
    ------
    TypeError, ValueError
        See `check_image`.
    """

    def __init__(self, image: ArrayLike | LazyArray | MaskedImage) -> None:
        self._mask: Mask | None = None
        if isinstance(image, MaskedImage):
            self._mask = Mask(_readable(image.mask)[0])
            image = image.image
        array, lazy = _readable(image)
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

    @property
    def notes(self) -> tuple[str, ...]:
        """What a report should say of it."""
        return () if self._mask is None else (NOTE,)

    def check_mask(self, axes: str) -> None:
        """Raise a sentence if there is a mask that does not fit.

        Raises
        ------
        ValueError
            See `Mask.check`.
        """
        if self._mask is not None:
            self._mask.check(axes, self.shape)

    @property
    def without_mask(self) -> ImageSource:
        """The same image, all pixels of which count."""
        plain = copy(self)
        plain._mask = None
        return plain

    def share_inside(self, plane: Plane, window: Window) -> float:
        """Return the share of a part of a plane that the mask has; 1 without one."""
        return (
            1.0 if self._mask is None else self._mask.inside_yx(plane, *window).mean()
        )

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
            Without an alpha channel; 0 where they are not finite or outside the mask.
        valid_yx : ndarray of bool, shape (Y, X)
            Pixels of the mask all of whose values are finite.
        """
        block = plane.colours_yxs(self.block(plane.part(*window)))
        values, finite = to_floats(block)
        valid = np.asarray(finite.all(axis=-1))
        if self._mask is not None:
            inside = self._mask.inside_yx(plane, *window)
            values[~inside] = 0.0
            valid &= inside
        return values, valid


def _readable(image: ArrayLike | LazyArray) -> tuple[Any, bool]:
    """Return what can be read part by part, and whether it is more than an array."""
    lazy = not isinstance(image, np.ndarray) and _is_lazy(image)
    return (image if lazy else as_array(image)), lazy


def _is_lazy(image: object) -> bool:
    """Return whether an object can be read part by part."""
    named = all(hasattr(image, name) for name in ("shape", "ndim", "__getitem__"))
    return named and isinstance(getattr(image, "dtype", None), np.dtype)
