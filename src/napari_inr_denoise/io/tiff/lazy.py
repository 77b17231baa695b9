"""TIFF file as a lazy array."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffPage, TiffPageSeries

from napari_inr_denoise.image.indexing import Bounds, as_slices, block_shape
from napari_inr_denoise.io.entries import Choice
from napari_inr_denoise.io.lazy.file_array import FileArray
from napari_inr_denoise.io.tiff.claims import (
    contiguous_pages,
    file_length,
    is_cut_short,
    missing_segments,
)
from napari_inr_denoise.io.tiff.opening import open_image
from napari_inr_denoise.io.tiff.pages import Pages, is_paged
from napari_inr_denoise.io.untrusted.size_limits import check_declared_size


class TiffArray(FileArray):
    """One image of a TIFF file or set at full resolution, read in blocks.

    No memory map stays open. The array can be read from several threads and pickled.

    Parameters
    ----------
    path : str or Path
        The file.
    shape : tuple of int, optional
        Shape of the image, with axes of length one that tifffile omits.
    image : str, int, ImageEntry or None
        The image, see `open_image`.

    Attributes
    ----------
    opened : OpenedImage
        The image among those of the file.
    tiff : TiffFile
        The open file.
    axes : str
        Axes of the image as tifffile names them.

    Raises
    ------
    ValueError
        If the file contains no image, or cannot contain the image that it declares.
    """

    def __init__(
        self,
        path: str | Path,
        shape: tuple[int, ...] | None = None,
        image: Choice = None,
    ) -> None:
        self.path, self._image = Path(path), image
        self._lock = threading.Lock()
        self.opened = open_image(self.path, image)
        self.tiff, series = self.opened.tiff, self.opened.series
        if series is None:
            raise ValueError("got a file without an image, or one that is cut short")
        self._series, self.axes = series, str(series.axes)
        self._stored_shape = tuple(int(size) for size in series.shape)
        self.shape = shape or self._stored_shape
        self.dtype: np.dtype[Any] = np.dtype(series.dtype).newbyteorder("=")
        check_declared_size(series)
        self._offset = self._offset_of_whole(series)
        self._pages: Pages | None = None
        self._missing: dict[int, frozenset[int] | None] = {}
        self._count = 0
        if self._offset is None:
            self._find_pages(series)
        self._whole: NDArray[Any] | None = None

    @staticmethod
    def _offset_of_whole(series: TiffPageSeries) -> int | None:
        """Return where the values are stored, if in one block that is whole."""
        start, length = series.dataoffset, file_length(series.keyframe)
        return None if start is None or start + series.nbytes > length else start

    def _find_pages(self, series: TiffPageSeries) -> None:
        """Find the pages that are there; raise ValueError if nothing can be read."""
        cut = series.dataoffset is not None
        pages = contiguous_pages(series) if cut else list(series.pages)
        self._missing, self._count = missing_segments(pages), len(pages)
        if len(self._missing) == len(pages) and not any(self._missing.values()):
            raise ValueError("the file is cut short before the first plane ends")
        if is_paged(series, len(pages)):
            self._pages = Pages(series, pages, self._missing)
        elif self._missing:
            raise ValueError(
                "the file is cut short, and what is left cannot be told from what is "
                "missing"
            )

    def __reduce__(self) -> tuple[type[TiffArray], tuple[Any, ...]]:
        return TiffArray, (self.path, self.shape, self._image)

    def reshaped(self, shape: tuple[int, ...]) -> TiffArray:
        """Return the array with axes of length one added or left out."""
        return TiffArray(self.path, shape, self._image)

    @property
    def keyframe(self) -> TiffPage:
        """Page whose tags hold for all pages of the image."""
        return self._series.keyframe

    @property
    def series_kind(self) -> str:
        """Format by which tifffile found the planes: "ome", "imagej", "generic"..."""
        return str(self._series.kind)

    @property
    def page_count(self) -> int:
        """Number of pages that the image consists of."""
        return math.prod(self._stored_shape) // math.prod(self.keyframe.shape)

    @property
    def missing(self) -> str:
        """What the file claims but does not hold, as text; empty if it is whole."""
        if self.opened.entry.missing and self._missing:
            names = ", ".join(self.opened.entry.missing[:3])
            more = len(self.opened.entry.missing) - 3
            return f"missing files: {names}" + (f" and {more} more" if more > 0 else "")
        if self._missing:
            first = min(self._missing)
            return (
                f"planes missing or cut short: {len(self._missing)} of {self._count}, "
                f"the first is number {first + 1}"
            )
        kinds = ("imagej", "shaped") if len(self.opened.entries) == 1 else ()
        claimed = self._series.kind in (*kinds, "ome", "mmstack", "ndtiff")
        if not claimed and is_cut_short(self.tiff):
            return (
                f"it is cut short after {len(self.tiff.pages)} pages; how many should "
                "follow is not known"
            )
        return ""

    def missing_in(self, bounds: list[Bounds]) -> NDArray[np.bool_]:
        """Return which values of a block the file does not hold."""
        if self._pages is None:
            return np.zeros(block_shape(bounds), np.bool_)
        missing = self._pages.missing(self._stored_bounds(bounds))
        return missing.reshape(block_shape(bounds))

    def _read_block(self, bounds: list[Bounds]) -> NDArray[Any]:
        with self._lock:
            block = self._stored_block(self._stored_bounds(bounds))
        return block.reshape(block_shape(bounds))

    def _stored_bounds(self, bounds: list[Bounds]) -> list[Bounds]:
        """Return bounds along the axes of the series."""
        longer = (one for one, n in zip(bounds, self.shape, strict=True) if n != 1)
        return [(0, 1) if n == 1 else next(longer) for n in self._stored_shape]

    def _stored_block(self, bounds: list[Bounds]) -> NDArray[Any]:
        part = as_slices(bounds)
        if self._offset is not None:
            return self._mapped(self._offset)[part]
        if self._pages is not None:
            return self._pages.block(bounds)
        if self._whole is None:  # cannot be read in blocks
            self._whole = self._series.asarray().reshape(self._stored_shape)
        return self._whole[part]

    def _mapped(self, offset: int) -> NDArray[Any]:
        """Map the file for one read: mapped pages count as used memory."""
        page = self._series.pages[0]
        assert page is not None
        stored = self._series.dtype.newbyteorder(page.parent.byteorder)
        mapped: NDArray[Any] = np.memmap(
            page.parent.filehandle.path,
            dtype=stored,
            mode="r",
            offset=offset,
            shape=self._stored_shape,
        )
        return mapped
