"""Checks of images, and conversion from and to floating point numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, as_slices
from napari_inr_denoise.image.virtual_array import VirtualArray

_KINDS = "biuf"
_FLOAT32_MAX = float(np.finfo(np.float32).max)
_FLOAT32_SMALLEST = float(np.finfo(np.float32).tiny)
"""Smaller values lose precision in float32, and their squares are 0 in float64."""
_FEW_LEVELS = 32
"""Integers with fewer values from the lowest to the highest lose what can be seen: the
rounding error is above 1 % of the range."""


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


@dataclass(frozen=True)
class Losses:
    """What values lost in another data type; nothing if it is a float.

    Attributes
    ----------
    clipped : int
        Number of values outside of the range of the data type.
    missing : int
        Number of NaN, which became 0.
    fractions : bool
        Whether a value was not an integer.
    lowest, highest : float
        Ends of the range of the new values that were not NaN.
    """

    clipped: int = 0
    missing: int = 0
    fractions: bool = False
    lowest: float = np.inf
    highest: float = -np.inf

    def __add__(self, other: Losses) -> Losses:
        return Losses(
            self.clipped + other.clipped,
            self.missing + other.missing,
            self.fractions or other.fractions,
            min(self.lowest, other.lowest),
            max(self.highest, other.highest),
        )

    def notes(self, dtype: np.dtype[Any]) -> tuple[str, ...]:
        """Return sentences for the user; none if little was lost.

        Parameters
        ----------
        dtype : dtype
            The data type of the new values.
        """
        notes = []
        if self.clipped:
            low, high = _ends(dtype)
            notes.append(f"{self.clipped} values outside {low} to {high} were clipped.")
        if self.missing:
            notes.append(
                f"{self.missing} values that were not a number (NaN) became 0: choose "
                "32-bit float to keep them."
            )
        levels = self.highest - self.lowest + 1
        if self.fractions and levels < _FEW_LEVELS:
            notes.append(
                f"The values were rounded to integers from {self.lowest:.0f} to "
                f"{self.highest:.0f}: choose 32-bit float to keep fractions."
            )
        return tuple(notes)


def _ends(dtype: np.dtype[Any]) -> tuple[int, int]:
    """Return the lowest and the highest value of integers or booleans."""
    if dtype.kind == "b":
        return 0, 1
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def as_dtype(image: NDArray[Any], dtype: np.dtype[Any]) -> tuple[NDArray[Any], Losses]:
    """Return the image in another data type, and what its values lost.

    Parameters
    ----------
    image : ndarray
        Real numbers of any shape.
    dtype : dtype
        Wanted data type. Values are rounded and clipped for integers, NaN becomes 0;
        for floats they are cast.
    """
    if dtype.kind == "f":
        return image.astype(dtype), Losses()
    low, high = _ends(dtype)
    rounded = np.rint(image.astype(np.float64))
    known = ~np.isnan(rounded)
    missing = rounded.size - int(np.count_nonzero(known))
    rounded[~known] = 0
    clipped = int(np.sum((rounded < low) | (rounded > high)))
    changed = int(np.count_nonzero(rounded != image)) - missing
    np.clip(rounded, low, high, out=rounded)
    lost = Losses(
        clipped,
        missing,
        changed > 0,
        float(rounded.min(initial=np.inf, where=known)),
        float(rounded.max(initial=-np.inf, where=known)),
    )
    return rounded.astype(dtype), lost


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
    losses : Losses
        What the values read so far lost.
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
        self.losses = Losses()

    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        values = self._source[as_slices(bounds)]
        if (self._offset, self._slope) != (0.0, 1.0):
            values = (values.astype(np.float64) - self._offset) / self._slope
        block, lost = as_dtype(values, self.dtype)
        self.losses += lost
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
