"""Checks of images, and conversion from and to floating point numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, as_slices
from napari_inr_denoise.image.virtual_array import VirtualArray

_KINDS = "biuf"
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_FLOAT32_SMALLEST = float(np.finfo(np.float32).tiny)
"""Smaller values lose precision in float32, and their squares are 0 in float64."""


def as_array(image: object) -> NDArray[Any]:
    """Return an image as an array; values masked in NumPy masked arrays become NaN.

    Parameters
    ----------
    image : array_like
        Any shape; also lists of masked arrays.

    Raises
    ------
    ValueError
        If the rows have different lengths.
    """
    try:
        return np.asarray(_masked_as_nan(image))
    except ValueError as error:
        raise ValueError(
            f"image: got {type(image).__name__} that is not an array ({error}), "
            "wanted numbers in rows of one length. Convert the image to an array first."
        ) from error


def _masked_as_nan(image: object) -> object:
    """Return an image, or a list of images, with NaN where values are masked."""
    if isinstance(image, list | tuple):
        kinds = set(map(type, image))
        nested = any(issubclass(kind, list | tuple | np.ndarray) for kind in kinds)
        return list(map(_masked_as_nan, image)) if nested else image
    if hasattr(image, "compute"):  # dask drops the mask of what it converts itself
        image = image.compute()
    if isinstance(image, np.ma.MaskedArray) and image.dtype.kind in _KINDS:
        values = image.data if image.dtype.kind == "f" else image.data.astype(float)
        return np.where(np.ma.getmaskarray(image), np.nan, values)
    return image


def check_image(array: NDArray[Any]) -> None:
    """Raise an error if an array cannot be denoised.

    Raises
    ------
    TypeError
        If the values are not real numbers.
    ValueError
        If the array is empty, or a finite value is too large for float32, the data
        type of the result.
    """
    if array.dtype.kind == "c":
        raise TypeError(
            f"image: got complex numbers ({array.dtype}), wanted real intensities. "
            "Take the real and imaginary parts, or the magnitude, as images."
        )
    if array.dtype.kind not in _KINDS:
        raise TypeError(
            f"image: got values of type {array.dtype}, wanted bool, integer or "
            "floating point numbers. Convert the image to numbers first."
        )
    if array.size == 0:
        raise ValueError(
            f"image: got an empty array of shape {array.shape}, wanted at least one "
            "pixel along every axis."
        )
    if array.dtype.kind == "f" and array.dtype.itemsize > 4:
        _check_range(array)


def _check_range(array: NDArray[Any]) -> None:
    """Raise ValueError if a finite value is too large for float32."""
    largest = float(np.abs(array).max(where=np.isfinite(array), initial=0.0))
    if largest > _FLOAT32_MAX:
        raise ValueError(
            f"image: got a value of {largest:.4g}, which float32, the type of the "
            f"result, cannot hold (at most {_FLOAT32_MAX:.4g}). Divide the image first."
        )


def to_floats(block: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the values as native float64, and a mask of finite values.

    Parameters
    ----------
    block : ndarray
        Real numbers of any size and byte order.

    Returns
    -------
    values : ndarray of float64
        A new array. Values that are not finite, or too small for float32, the data
        type of the result, are 0.
    finite : ndarray of bool
        True where the value is finite.
    """
    values = np.array(block, dtype=np.float64, order="C")
    finite = np.isfinite(values)
    values[~finite] = 0.0
    if np.asarray(block).dtype.kind == "f":
        values[np.abs(values) < _FLOAT32_SMALLEST] = 0.0
    return values, finite


def as_dtype(
    image: NDArray[np.floating], dtype: np.dtype[Any]
) -> tuple[NDArray[Any], int]:
    """Return the image in another data type, and the number of clipped values.

    Parameters
    ----------
    image : ndarray of float32 or float64
        Any shape.
    dtype : dtype
        Wanted data type. Values are rounded and clipped for integers, NaN becomes 0;
        for floats they are cast.
    """
    if dtype.kind == "f":
        return image.astype(dtype), 0
    low, high = (
        (0, 1) if dtype.kind == "b" else (np.iinfo(dtype).min, np.iinfo(dtype).max)
    )
    rounded = np.rint(image.astype(np.float64))
    rounded[np.isnan(rounded)] = 0
    clipped = int(np.sum((rounded < low) | (rounded > high)))
    return np.clip(rounded, low, high).astype(dtype), clipped


class ConvertedView(VirtualArray):
    """Image in another data type, converted by `as_dtype` where it is indexed.

    Parameters
    ----------
    source : array-like of float32
        Image that can be indexed by slices.
    dtype : dtype
        Wanted data type.
    offset, slope : float, optional
        The converted number is (value - offset) / slope.

    Attributes
    ----------
    clipped : int
        Number of clipped values among those read so far.
    """

    def __init__(
        self,
        source: Any,  # noqa: ANN401 - any array
        dtype: np.dtype[Any],
        offset: float = 0.0,
        slope: float = 1.0,
    ) -> None:
        self._source, self._offset, self._slope = source, offset, slope
        self.shape: tuple[int, ...] = source.shape
        self.dtype = dtype
        self.clipped = 0

    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        values = self._source[as_slices(bounds)]
        if (self._offset, self._slope) != (0.0, 1.0):
            values = (values.astype(np.float64) - self._offset) / self._slope
        block, clipped = as_dtype(values, self.dtype)
        self.clipped += clipped
        return block


class NaNWhere(VirtualArray):
    """Image with NaN where a mask is true, as float.

    Parameters
    ----------
    source : array-like
        Image that can be indexed by slices; integers become float32.
    mask : array-like of bool
        Mask of the same shape.
    """

    def __init__(self, source: Any, mask: Any) -> None:  # noqa: ANN401 - any arrays
        self._source, self._mask = source, mask
        self.shape: tuple[int, ...] = tuple(source.shape)
        floating = source.dtype.kind == "f"
        self.dtype = source.dtype if floating else np.dtype(np.float32)

    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        part = as_slices(bounds)
        block = np.array(self._source[part], self.dtype)
        block[np.asarray(self._mask[part])] = np.nan
        return block
