"""Values of an image whose file stores other numbers (see `Calibration`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.conversion import ConvertedView
from napari_inr_denoise.image.indexing import Bounds, as_slices
from napari_inr_denoise.image.virtual_array import VirtualArray
from napari_inr_denoise.io.record import Calibration, ImageRecord

_AT_ONCE = 2**16
"""Number of values that are converted at once."""
_Ranges = tuple[tuple[float, float] | None, ...]


class CalibratedArray(VirtualArray):
    """Values of stored numbers as float32. It can be pickled if `stored` can.

    Parameters
    ----------
    stored : array-like
        Numbers of the file; they are read where the array is indexed.
    calibration : Calibration
        What the numbers stand for.
    """

    def __init__(self, stored: Any, calibration: Calibration) -> None:  # noqa: ANN401 - any array
        self.stored, self._calibration = stored, calibration
        self.shape: tuple[int, ...] = stored.shape
        self.dtype = np.dtype(np.float32)

    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        offset, slope, *_ = self._calibration
        numbers = np.asarray(self.stored[as_slices(bounds)], order="C")
        values = np.empty(numbers.shape, np.float32)
        stored, converted = numbers.reshape(-1), values.reshape(-1)
        for first in range(0, stored.size, _AT_ONCE):  # float64 of all costs memory
            part = slice(first, first + _AT_ONCE)
            converted[part] = offset + slope * stored[part].astype(np.float64)
        return values


def with_values(record: ImageRecord) -> ImageRecord:
    """Return a record of a file's numbers as a record of its values.

    The same record without a calibration. Display ranges are converted, too.
    """
    if record.calibration is None:
        return record
    offset, slope, *_ = record.calibration
    data = CalibratedArray(record.data, record.calibration)
    ranges = _converted(record.display_ranges, lambda x: offset + slope * x)
    return replace(record, data=data, display_ranges=ranges)


def with_stored_numbers(record: ImageRecord) -> ImageRecord:
    """Return a record of values as a record of the numbers that a file stores.

    The inverse of `with_values`. Values in memory are rounded to the data type of the
    file; the numbers of a `CalibratedArray` are its own, unchanged.
    """
    if record.calibration is None:
        return record
    offset, slope, *_ = record.calibration
    data = record.data
    numbers = data.stored if isinstance(data, CalibratedArray) else stored_view(record)
    ranges = _converted(record.display_ranges, lambda x: (x - offset) / slope)
    return replace(record, data=numbers, display_ranges=ranges)


def stored_view(record: ImageRecord) -> ConvertedView:
    """Return the numbers that a file of this calibration stores for the values."""
    calibration = record.calibration
    assert calibration is not None
    offset, slope, dtype, _ = calibration
    return ConvertedView(record.data, np.dtype(dtype), offset, slope)


def _converted(ranges: _Ranges, convert: Any) -> _Ranges:  # noqa: ANN401 - a function
    return tuple(
        None if ends is None else (convert(ends[0]), convert(ends[1]))
        for ends in ranges
    )
