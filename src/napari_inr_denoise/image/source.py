"""The image to denoise and its mask, read in blocks."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.conversion import as_array, check_image, to_floats

Window = tuple[slice, slice]
"""Rows and columns of a part of a plane."""


class ReadableArray(Protocol):
    """Array that can be read in blocks: NumPy, dask, Zarr, HDF5 or `VirtualArray`.

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
        """Return the values at one integer or slice per dimension."""


class ImageSource:
    """Image to denoise, checked as far as possible without reading it.

    Parameters
    ----------
    image : array_like or MaskedImage
        Read in blocks if it is a `ReadableArray`; converted to an array otherwise.

    Raises
    ------
    TypeError, ValueError
        See `check_image`.
    """

    def __init__(self, image: ArrayLike | ReadableArray | MaskedImage) -> None:
        self._mask: Mask | None = None
        if isinstance(image, MaskedImage):
            self._mask = Mask(_readable(image.mask)[0])
            image = image.image
        array, lazy = _readable(image)
        self._array = array
        self.shape: tuple[int, ...] = tuple(int(n) for n in array.shape)
        self.dtype: np.dtype[Any] = array.dtype
        # The values of a lazy array are checked when they are read.
        check_image(np.empty((), self.dtype) if lazy and self.size else array)
        self._lazy = lazy

    @property
    def lazy(self) -> bool:
        """Whether the image is read in blocks, perhaps from a disk."""
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
        """Notes for the report."""
        return () if self._mask is None else (NOTE,)

    def check_mask(self, axes: str) -> None:
        """Raise ValueError if there is a mask that does not fit, see `Mask.check`.

        Parameters
        ----------
        axes : str
            Axes of the image, one letter per dimension.
        """
        if self._mask is not None:
            self._mask.check(axes, self.shape)

    @property
    def without_mask(self) -> ImageSource:
        """The same image without its mask."""
        plain = copy(self)
        plain._mask = None
        return plain

    def seen_as(self, view: Callable[[Any], Any]) -> ImageSource:
        """Return the image and its mask as a function of an array shows them."""
        seen = copy(self)
        seen._array = view(self._array)
        seen.shape = seen._array.shape
        seen._mask = None if self._mask is None else Mask(view(self._mask.array))
        return seen

    def inside_yx(self, plane: Plane, window: Window) -> NDArray[np.bool_] | None:
        """Return the mask of a part of a plane, of shape (Y, X); None without one."""
        return None if self._mask is None else self._mask.inside_yx(plane, *window)

    def share_inside(self, plane: Plane, window: Window) -> float:
        """Return the fraction of a part of a plane inside the mask; 1 without one."""
        inside = self.inside_yx(plane, window)
        return 1.0 if inside is None else float(inside.mean())

    def block(self, selection: tuple[int | slice, ...]) -> NDArray[Any]:
        """Return a block of the image in its own data type, or as float with NaN.

        Raises
        ------
        ValueError
            If a value is too large for float32.
        """
        block = as_array(self._array[selection])
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
            The plane.
        window : tuple of slice
            Rows and columns.

        Returns
        -------
        values_yxs : ndarray of float64, shape (Y, X, samples)
            Values without an alpha channel; 0 where not finite or outside the mask.
        valid_yx : ndarray of bool, shape (Y, X)
            True inside the mask where all samples are finite.
        """
        block = plane.samples_yxs(self.block(plane.part(*window)))
        values, finite = to_floats(block)
        valid = np.asarray(finite.all(axis=-1))
        inside = self.inside_yx(plane, window)
        if inside is not None:
            values[~inside] = 0.0
            valid &= inside
        return values, valid


def _readable(image: ArrayLike | ReadableArray) -> tuple[Any, bool]:
    """Return the image as a readable array, and whether it is lazy."""
    lazy = not isinstance(image, np.ndarray) and _is_lazy(image)
    return (image if lazy else as_array(image)), lazy


def _is_lazy(image: object) -> bool:
    """Return whether an object can be read in blocks."""
    named = all(hasattr(image, name) for name in ("shape", "ndim", "__getitem__"))
    return named and isinstance(getattr(image, "dtype", None), np.dtype)


NOTE = "Only the pixels of a mask were denoised; the others are as they were."
"""Note in the report of a masked image."""


@dataclass(frozen=True)
class MaskedImage:
    """Image with a mask; it is accepted wherever an image is denoised.

    Pixels outside the mask are used neither for the fit nor for the noise estimate,
    like pixels that are not finite, and are unchanged in the result.

    Attributes
    ----------
    image : array_like
        See `denoise`.
    mask : array_like
        Bool or labels; pixels above 0 are denoised. Its dimensions are those of the
        image without S, or the last of them: a mask (Y, X) applies to all planes of
        (Z, Y, X). A lazy mask is read in blocks.
    """

    image: ArrayLike | ReadableArray = field(repr=False)
    mask: ArrayLike | ReadableArray = field(repr=False)


class Mask:
    """Mask that selects pixels of an image.

    Parameters
    ----------
    array : array
        See `MaskedImage`.
    """

    def __init__(self, array: Any) -> None:  # noqa: ANN401 - as numpy has it
        self.array = array
        self.shape: tuple[int, ...] = tuple(int(n) for n in array.shape)

    def check(self, axes: str, shape: tuple[int, ...]) -> None:
        """Raise ValueError if the mask does not fit an image.

        Parameters
        ----------
        axes : str
            Axes of the image, one letter per dimension.
        shape : tuple of int
            Shape of the image.

        Raises
        ------
        ValueError
            If its shape is not that of the image, or of the last axes with Y and X.
        """
        named = [pair for pair in zip(axes, shape, strict=True) if pair[0] != "S"]
        last = named[-len(self.shape) :]
        letters = "".join(letter for letter, _ in last)
        fits = self.shape == tuple(size for _, size in last)
        if not (fits and {"Y", "X"} <= set(letters)):
            wanted = " x ".join(f"{letter} {size}" for letter, size in named)
            raise ValueError(
                f"mask: got an array of shape {self.shape}, wanted {wanted}, the "
                "shape of the image, or the last of these axes with Y and X. Draw the "
                "mask on the pixels of the image."
            )

    def inside_yx(self, plane: Plane, rows: slice, columns: slice) -> NDArray[np.bool_]:
        """Return the mask of a part of a plane, of shape (Y, X)."""
        part, letters = plane.part(rows, columns), iter(plane.axes)
        at = [
            one for one in part if not (isinstance(one, slice) and next(letters) == "S")
        ]
        block = as_array(self.array[tuple(at[-len(self.shape) :])]) > 0
        down_first = plane.axes.index("Y") < plane.axes.index("X")
        return np.asarray(block if down_first else block.T, dtype=np.bool_)
