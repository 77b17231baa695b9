"""Read blocks of TIFF pages from decoded strips or tiles."""

from __future__ import annotations

import math
from collections import OrderedDict
from itertools import product
from typing import Any

import numpy as np
from imagecodecs import bitorder_decode
from numpy.typing import NDArray
from tifffile import COMPRESSION, FILLORDER, TiffFrame, TiffPage, TiffPageSeries

from napari_inr_denoise.image.indexing import Bounds, block_shape
from napari_inr_denoise.io.untrusted.lzw import check_lzw

_CACHE_BYTES = 2**28
"""Maximum bytes of cached segments: without a cache, a plane that is one compressed
strip would be decoded again for each block."""


def is_paged(series: TiffPageSeries) -> bool:
    """Return whether a series consists of uniform pages in order."""
    key = series.keyframe
    inner = len(key.shape)
    return (
        series.shape[len(series.shape) - inner :] == key.shape
        and len(series.pages) == math.prod(series.shape[:-inner])
        and key.axes in {"YX", "YXS", "SYX"}
        and key.imagedepth == 1
    )


class Pages:
    """Pages of a series, read in blocks. A segment is a strip or tile.

    Parameters
    ----------
    series : TiffPageSeries
        A series for which `is_paged` is true; its pages may be in several files.
    """

    def __init__(self, series: TiffPageSeries) -> None:
        self._series, self._key = series, series.keyframe
        self._cache: OrderedDict[tuple[int, int], tuple[Any, ...]] = OrderedDict()
        self._cached_bytes = 0

    def block(self, bounds: list[Bounds]) -> NDArray[Any]:
        """Return the values of a block that is not empty."""
        inner = len(self._key.shape)
        outer = bounds[:-inner]
        block = np.empty(block_shape(bounds), self._series.dtype)
        for position in product(*(range(*one) for one in outer)):
            at = tuple(k - one[0] for k, one in zip(position, outer, strict=True))
            sizes = self._series.shape[:-inner]
            number = int(np.ravel_multi_index(position, sizes)) if position else 0
            block[at] = self._page_block(number, bounds[-inner:])
        return block

    def _page_block(self, number: int, inner: list[Bounds]) -> NDArray[Any]:
        """Return a block of a page, with axes as in the series."""
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
            for index in self._segments_in(plane, (top, bottom), (left, right)):
                data, row, column = self._segment(number, index)
                if data is not None:
                    _paste(part[plane - planes[0]], data, (row - top, column - left))
        if planar:
            return np.asarray(part[..., 0])
        chosen = part[0][..., slice(*by_axis.get("S", (0, 1)))]
        return np.asarray(chosen if axes == "YXS" else chosen[..., 0])

    def _segments_in(self, plane: int, rows: Bounds, columns: Bounds) -> list[int]:
        """Return the numbers of the segments that overlap a part of a page."""
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
        """Return a decoded segment, (Y, X, samples), its first row and column."""
        key = (number, index)
        if key in self._cache:
            self._cache.move_to_end(key)
            data, row, column = self._cache[key]
            return data, row, column
        data, row, column = self._decode(number, index)
        if data is not None:
            self._cache[key] = (data, row, column)
            self._cached_bytes += data.nbytes
            while self._cached_bytes > _CACHE_BYTES and len(self._cache) > 1:
                _, (oldest, *_) = self._cache.popitem(last=False)
                self._cached_bytes -= oldest.nbytes
        return data, row, column

    def _decode(self, number: int, index: int) -> tuple[Any, int, int]:
        page = self._series.pages[number]
        if page is None or page.databytecounts[index] == 0:
            return None, 0, 0
        raw = _read_segment(page, index)
        if self._key.compression == COMPRESSION.LZW:
            reversed_bits = self._key.fillorder == FILLORDER.LSB2MSB
            check_lzw(bytes(bitorder_decode(raw)) if reversed_bits else raw)
        data, (_, _, row, column, _), shape = self._key.decode(
            raw, index, jpegtables=self._key.jpegtables
        )
        if data is None:
            return None, 0, 0
        _, height, width, _ = shape
        return data[0, :height, :width], row, column


def _read_segment(page: TiffPage | TiffFrame, index: int) -> bytes:
    """Return a segment as stored. Opens another file of a set if needed."""
    file = page.parent.filehandle
    closed = file.closed
    if closed:
        file.open()
    try:
        file.seek(page.dataoffsets[index])
        return bytes(file.read(page.databytecounts[index]))
    finally:
        if closed:
            file.close()


def _paste(target: NDArray[Any], data: NDArray[Any], first: tuple[int, int]) -> None:
    """Copy the overlap of a segment, whose first pixel is at `first`, to a block."""
    here, there = [], []
    for at, size, length in zip(first, data.shape, target.shape, strict=False):
        start, stop = max(at, 0), min(at + size, length)
        if start >= stop:
            return
        here.append(slice(start, stop))
        there.append(slice(start - at, stop - at))
    target[tuple(here)] = data[tuple(there)]
