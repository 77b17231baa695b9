"""TIFF file as a lazy array."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import TiffPage

from napari_inr_denoise.image.indexing import Bounds, as_slices, block_shape
from napari_inr_denoise.io.lazy.file_array import FileArray
from napari_inr_denoise.io.tiff.opening import open_tiff
from napari_inr_denoise.io.tiff.pages import Pages, is_paged
from napari_inr_denoise.io.untrusted.size_limits import check_declared_size


class TiffArray(FileArray):
    """First image of a TIFF file at full resolution, read in blocks.

    No memory map stays open. The array can be read from several threads and pickled.

    Parameters
    ----------
    path : str or Path
        The file.
    shape : tuple of int, optional
        Shape of the image, with axes of length one that tifffile omits.

    Attributes
    ----------
    tiff : TiffFile
        The open file.

    Raises
    ------
    ValueError
        If the file is cut short, contains no image, or cannot contain the image that
        it declares.
    """

    def __init__(self, path: str | Path, shape: tuple[int, ...] | None = None) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self.tiff = open_tiff(self.path)
        if not self.tiff.series:
            raise ValueError("got a file without an image")
        self._series = self.tiff.series[0]
        self._stored_shape = tuple(int(size) for size in self._series.shape)
        self.shape = shape or self._stored_shape
        self.dtype: np.dtype[Any] = np.dtype(self._series.dtype).newbyteorder("=")
        self._offset = self._series.dataoffset
        check_declared_size(self._series)
        self._pages = Pages(self._series) if is_paged(self._series) else None
        self._whole: NDArray[Any] | None = None

    def __reduce__(self) -> tuple[type[TiffArray], tuple[Any, ...]]:
        return TiffArray, (self.path, self.shape)

    @property
    def keyframe(self) -> TiffPage:
        """Page whose tags hold for all pages of the image."""
        return self._series.keyframe

    @property
    def missing_planes(self) -> int:
        """Number of planes that the file declares but does not contain; they are 0."""
        return sum(page is None for page in self._series.pages)

    def _read_block(self, bounds: list[Bounds]) -> NDArray[Any]:
        longer = (one for one, n in zip(bounds, self.shape, strict=True) if n != 1)
        stored = [(0, 1) if n == 1 else next(longer) for n in self._stored_shape]
        with self._lock:
            block = self._stored_block(stored)
        return block.reshape(block_shape(bounds))

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
