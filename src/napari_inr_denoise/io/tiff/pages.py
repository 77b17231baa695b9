"""Read blocks of TIFF pages from decoded strips or tiles."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from imagecodecs import bitorder_decode
from numpy.typing import NDArray
from tifffile import COMPRESSION, FILLORDER, TiffFrame, TiffPage, TiffPageSeries

from napari_inr_denoise.image.indexing import Bounds, as_slices, block_shape
from napari_inr_denoise.io.untrusted.lzw import check_lzw

_CACHE_BYTES = 2**28
"""Maximum bytes of cached segments: without a cache, a plane that is one compressed
strip would be decoded again for each block."""


def is_paged(series: TiffPageSeries, count: int) -> bool:
    """Return whether a series consists of a number of uniform pages in order."""
    key = series.keyframe
    inner = len(key.shape)
    return (
        series.shape[len(series.shape) - inner :] == key.shape
        and count == math.prod(series.shape[:-inner])
        and key.axes in {"YX", "YXS", "SYX"}
        and key.imagedepth == 1
    )


class Pages:
    """Pages of a series, read in blocks. A segment is a strip or tile.

    Parameters
    ----------
    series : TiffPageSeries
        A series for which `is_paged` is true; its pages may be in several files.
    pages : sequence of TiffPage, TiffFrame or None
        Its pages; None for one that is missing.
    missing : mapping
        Segments that are missing, see `missing_segments`.
    """

    def __init__(
        self,
        series: TiffPageSeries,
        pages: Sequence[TiffPage | TiffFrame | None],
        missing: Mapping[int, frozenset[int] | None],
    ) -> None:
        self._series, self._key = series, series.keyframe
        self._pages, self._missing = pages, missing
        self._cache: OrderedDict[tuple[int, int], tuple[Any, ...]] = OrderedDict()
        self._cached_bytes = 0

    def block(self, bounds: list[Bounds]) -> NDArray[Any]:
        """Return the values of a block that is not empty."""
        inner = len(self._key.shape)
        block = np.empty(block_shape(bounds), self._series.dtype)
        for at, number in self._pages_in(bounds[:-inner]):
            block[at] = self._page_block(number, bounds[-inner:])
        return block

    def missing(self, bounds: list[Bounds]) -> NDArray[np.bool_]:
        """Return which values of a block are in no file."""
        inner = len(self._key.shape)
        block = np.zeros(block_shape(bounds), np.bool_)
        for at, number in self._pages_in(bounds[:-inner]):
            if number in self._missing:
                block[at] = self._missing_in_page(number, bounds[-inner:])
        return block

    def _pages_in(self, outer: list[Bounds]) -> Iterator[tuple[tuple[int, ...], int]]:
        """Yield the place in a block, and the number, of each page."""
        sizes = self._series.shape[: len(outer)]
        for position in product(*(range(*one) for one in outer)):
            at = tuple(k - one[0] for k, one in zip(position, outer, strict=True))
            yield at, int(np.ravel_multi_index(position, sizes)) if position else 0

    def _missing_in_page(self, number: int, inner: list[Bounds]) -> NDArray[np.bool_]:
        """Return which values of a block of a page are missing."""
        lost = self._missing[number]
        if lost is None:
            return np.ones(block_shape(inner), np.bool_)
        planar = self._key.axes == "SYX"
        planes = self._key.samplesperpixel if planar else 1
        shape = (planes, self._key.imagelength, self._key.imagewidth)
        whole = np.zeros(shape, np.bool_)
        height, width = self._segment_size
        across, down = self._segment_counts
        for index in lost:
            plane, place = divmod(index, across * down)
            row, column = divmod(place, across)
            rows = slice(row * height, (row + 1) * height)
            whole[plane, rows, column * width : (column + 1) * width] = True
        if planar:
            return np.asarray(whole[as_slices(inner)])
        page = np.asarray(whole[0][as_slices(inner[:2])])
        return page if len(inner) == 2 else page[..., np.newaxis]

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
        height, width = self._segment_size
        across, down = self._segment_counts
        return [
            (plane * down + row) * across + column
            for row in range(rows[0] // height, -(-rows[1] // height))
            for column in range(columns[0] // width, -(-columns[1] // width))
        ]

    @property
    def _segment_size(self) -> tuple[int, int]:
        """Rows and columns of a segment."""
        key = self._key
        if key.is_tiled:
            return key.tilelength, key.tilewidth
        return min(key.rowsperstrip, key.imagelength), key.imagewidth

    @property
    def _segment_counts(self) -> tuple[int, int]:
        """Number of segments across and down."""
        height, width = self._segment_size
        return -(-self._key.imagewidth // width), -(-self._key.imagelength // height)

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
        page = self._pages[number]
        if page is None or page.databytecounts[index] == 0:
            return None, 0, 0
        if number in self._missing and index in (self._missing[number] or (index,)):
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
