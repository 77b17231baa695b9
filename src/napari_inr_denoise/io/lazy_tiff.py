"""A TIFF file as an array of which only what is asked for is read."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import FileHandle, TiffFile, TiffPageSeries

from napari_inr_denoise.io.selection import Bounds, Index, resolve

_CACHE_BYTES = 2**28
"""Decoded segments that are kept: a plane that is one compressed strip would else be
decoded for each of its parts."""


class LazyTiff:
    """The first image of a TIFF file, read part by part.

    Nothing stays mapped into memory: what was read counts for as long as the caller
    keeps it. May be read from several threads, and pickled.

    Parameters
    ----------
    path : str or Path
        The file.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
        In native byte order.

    Raises
    ------
    ValueError
        If the file ends before its last value.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._lock = threading.Lock()
        self._tiff = TiffFile(self._path)
        self._series = self._tiff.series[0]
        self.shape = tuple(int(size) for size in self._series.shape)
        self.dtype: np.dtype[Any] = np.dtype(self._series.dtype).newbyteorder("=")
        self._paged = (
            _Pages(self._series, self._tiff.filehandle)
            if _is_paged(self._series)
            else None
        )
        self._whole: NDArray[Any] | None = None
        self._check_length()

    def __reduce__(self) -> tuple[type[LazyTiff], tuple[Path]]:
        return LazyTiff, (self._path,)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that all the values take."""
        return self.size * self.dtype.itemsize

    def __array__(
        self, dtype: np.dtype[Any] | None = None, copy: bool | None = None
    ) -> NDArray[Any]:
        """Read everything; it is always a new array."""
        return self[...].astype(dtype or self.dtype, copy=False)

    def __getitem__(self, selection: Index | tuple[Index, ...]) -> NDArray[Any]:
        """Read a part, given by whole numbers and slices."""
        bounds, place = resolve(selection, self.shape)
        with self._lock:
            block = self._block(bounds)
        return np.array(block[place], dtype=self.dtype)

    def _block(self, bounds: list[Bounds]) -> NDArray[Any]:
        if any(start == stop for start, stop in bounds):
            return np.empty([stop - start for start, stop in bounds], self.dtype)
        part = tuple(slice(*one) for one in bounds)
        if self._series.dataoffset is not None:
            return self._mapped(self._series.dataoffset)[part]
        if self._paged is not None:
            return self._paged.block(bounds)
        if self._whole is None:  # no way to read it in parts
            self._whole = self._series.asarray()
        return self._whole[part]

    def _mapped(self, offset: int) -> NDArray[Any]:
        """Map the file for the moment: pages that stay mapped count as memory used."""
        stored = self._series.dtype.newbyteorder(self._tiff.byteorder)
        mapped: NDArray[Any] = np.memmap(
            self._path, dtype=stored, mode="r", offset=offset, shape=self.shape
        )
        return mapped

    def _check_length(self) -> None:
        """Raise an error if values are missing, as reading all of them would."""
        if self._series.dataoffset is not None:
            needed = self._series.dataoffset + self.nbytes
        else:
            needed = max(
                (
                    offset + count
                    for page in self._series.pages
                    if page is not None
                    for offset, count in zip(
                        page.dataoffsets, page.databytecounts, strict=False
                    )
                ),
                default=0,
            )
        length = self._tiff.filehandle.size
        if needed > length:
            raise ValueError(
                f"wanted at least {needed} bytes, got {length}: the file is cut short"
            )


def _is_paged(series: TiffPageSeries) -> bool:
    """Return whether a series is pages of this file, all alike, in order."""
    key = series.keyframe
    inner = len(key.shape)
    return (
        series.shape[len(series.shape) - inner :] == key.shape
        and len(series.pages) == math.prod(series.shape[:-inner])
        and not series.is_multifile
        and key.axes in {"YX", "YXS", "SYX"}
        and key.imagedepth == 1
        and not key.is_subsampled
        and key.bitspersample == series.dtype.itemsize * 8
    )


class _Pages:
    """Parts of the pages of a series, out of decoded strips or tiles."""

    def __init__(self, series: TiffPageSeries, file: FileHandle) -> None:
        self._series, self._key, self._file = series, series.keyframe, file
        self._kept: OrderedDict[tuple[int, int], tuple[Any, ...]] = OrderedDict()
        self._bytes = 0

    def block(self, bounds: list[Bounds]) -> NDArray[Any]:
        """Return a block that is not empty."""
        inner = len(self._key.shape)
        outer = bounds[:-inner]
        block = np.empty([stop - start for start, stop in bounds], self._series.dtype)
        for position in product(*(range(*one) for one in outer)):
            at = tuple(k - one[0] for k, one in zip(position, outer, strict=True))
            sizes = self._series.shape[:-inner]
            number = int(np.ravel_multi_index(position, sizes)) if position else 0
            block[at] = self._part(number, bounds[-inner:])
        return block

    def _part(self, number: int, inner: list[Bounds]) -> NDArray[Any]:
        """Return a part of a page, its axes as in the series."""
        axes = str(self._key.axes)
        by_axis = dict(zip(axes, inner, strict=True))
        (top, bottom), (left, right) = by_axis["Y"], by_axis["X"]
        planar = axes == "SYX"
        planes, values = by_axis.get("S", (0, 1)) if planar else (0, 1), (0, 1)
        if axes == "YXS":
            values = (0, self._key.samplesperpixel)
        part = np.full(
            (planes[1] - planes[0], bottom - top, right - left, values[1]),
            self._key.nodata,
            dtype=self._series.dtype,
        )
        for plane in range(*planes):
            for index in self._touched(plane, (top, bottom), (left, right)):
                data, row, column = self._segment(number, index)
                if data is not None:
                    _paste(part[plane - planes[0]], data, (row - top, column - left))
        if planar:
            return np.asarray(part[..., 0])
        chosen = part[0][..., slice(*by_axis.get("S", (0, 1)))]
        return np.asarray(chosen if axes == "YXS" else chosen[..., 0])

    def _touched(self, plane: int, rows: Bounds, columns: Bounds) -> list[int]:
        """Return the numbers of the segments of a page that hold a part of it."""
        key = self._key
        height = key.tilelength if key.is_tiled else key.rowsperstrip
        width = key.tilewidth if key.is_tiled else key.imagewidth
        across = -(-key.imagewidth // width)
        down = -(-key.imagelength // height)
        return [
            (plane * down + row) * across + column
            for row in range(rows[0] // height, -(-rows[1] // height))
            for column in range(columns[0] // width, -(-columns[1] // width))
        ]

    def _segment(self, number: int, index: int) -> tuple[Any, int, int]:
        """Return a decoded strip or tile, (Y, X, samples), and where it begins."""
        key = (number, index)
        if key in self._kept:
            self._kept.move_to_end(key)
            data, row, column = self._kept[key]
            return data, row, column
        data, row, column = self._decoded(number, index)
        if data is not None:
            self._kept[key] = (data, row, column)
            self._bytes += data.nbytes
            while self._bytes > _CACHE_BYTES and len(self._kept) > 1:
                _, (oldest, *_) = self._kept.popitem(last=False)
                self._bytes -= oldest.nbytes
        return data, row, column

    def _decoded(self, number: int, index: int) -> tuple[Any, int, int]:
        page = self._series.pages[number]
        if page is None or page.databytecounts[index] == 0:
            return None, 0, 0
        self._file.seek(page.dataoffsets[index])
        raw = self._file.read(page.databytecounts[index])
        data, (_, _, row, column, _), shape = self._key.decode(
            raw, index, jpegtables=self._key.jpegtables
        )
        if data is None:
            return None, 0, 0
        _, height, width, _ = shape
        return data[0, :height, :width], row, column


def _paste(target: NDArray[Any], data: NDArray[Any], first: tuple[int, int]) -> None:
    """Copy what of a segment lies in a part; its first pixel's place is given."""
    here, there = [], []
    for at, size, length in zip(first, data.shape, target.shape, strict=False):
        start, stop = max(at, 0), min(at + size, length)
        if start >= stop:
            return
        here.append(slice(start, stop))
        there.append(slice(start - at, stop - at))
    target[tuple(here)] = data[tuple(there)]
