"""Zarr array as a lazy array."""

from __future__ import annotations

import math
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, as_slices
from napari_inr_denoise.io.faults import UnsupportedError
from napari_inr_denoise.io.formats import size_on_disk
from napari_inr_denoise.io.lazy.file_array import FileArray
from napari_inr_denoise.io.untrusted.size_limits import (
    MAX_SPARSE_BYTES,
    check_compression_ratio,
)

_MAX_CHUNK_BYTES = 2**30
"""Maximum bytes of a chunk: it is decoded as a whole."""


class ZarrArray(FileArray):
    """Zarr array of format 2 or 3, read in blocks. It can be pickled.

    Parameters
    ----------
    path : str or Path
        The folder of the array.

    Raises
    ------
    ImportError
        If the package `zarr` is not installed.
    ValueError
        If it contains no numbers, or cannot contain the size that it declares.
    """

    may_be_fill = True

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._array = import_zarr().open_array(str(self.path), mode="r")
        self.shape = tuple(int(size) for size in self._array.shape)
        self.dtype: np.dtype[Any] = np.dtype(self._array.dtype).newbyteorder("=")
        if self.dtype.kind not in "biufc" or not self.size:
            raise UnsupportedError(
                f"got {self.dtype} values of shape {self.shape}, wanted numbers, and "
                "at least one"
            )
        self._check_declared_size()

    def __reduce__(self) -> tuple[type[ZarrArray], tuple[Path]]:
        return ZarrArray, (self.path,)

    @property
    def dimension_names(self) -> tuple[str | None, ...]:
        """Names of the dimensions, if the array has them."""
        names = getattr(self._array.metadata, "dimension_names", None)
        return tuple(names or (None,) * self.ndim)

    @property
    def missing(self) -> str:
        """Chunks that are not stored, as text; empty if all are."""
        counts, stored = self._chunk_counts, self._stored_chunks
        lost = math.prod(counts) - len(stored)
        if not lost:
            return ""
        outer = max(self.ndim - 2, 0)
        planes = math.prod(counts[:outer]) - len({one[:outer] for one in stored})
        text = f"missing chunks: {lost} of {math.prod(counts)}"
        if planes:
            depth = math.prod(self._chunks[:outer])
            kind = "whole planes" if depth == 1 else f"blocks of up to {depth} planes"
            text += f", among them {kind}: {planes}"
        return text

    def missing_in(self, bounds: list[Bounds]) -> NDArray[np.bool_]:
        """Return which values of a block are in chunks that are not stored."""
        numbers = [
            range(start // size, -(-stop // size))
            for (start, stop), size in zip(bounds, self._chunks, strict=True)
        ]
        lost = np.zeros([len(one) for one in numbers], np.bool_)
        for place in np.ndindex(lost.shape):
            chunk = tuple(one[k] for one, k in zip(numbers, place, strict=True))
            lost[place] = chunk not in self._stored_chunks
        for axis, ((start, stop), size) in enumerate(
            zip(bounds, self._chunks, strict=True)
        ):
            lost = lost.take(np.arange(start, stop) // size - start // size, axis)
        return lost

    @cached_property
    def _chunks(self) -> tuple[int, ...]:
        """Size of what is one file: a chunk, or a shard of many."""
        sizes = getattr(self._array, "shards", None) or self._array.chunks
        return tuple(int(size) for size in sizes)

    @property
    def _chunk_counts(self) -> tuple[int, ...]:
        pairs = zip(self.shape, self._chunks, strict=True)
        return tuple(-(-size // chunk) for size, chunk in pairs)

    @cached_property
    def _stored_chunks(self) -> frozenset[tuple[int, ...]]:
        """Numbers, along each axis, of the chunks that have a file."""
        counts = self._chunk_counts
        found = set()
        for place, _, names in os.walk(self.path):
            start = Path(place).relative_to(self.path).parts
            for name in names:
                numbers = [n for n in ".".join((*start, name)).split(".") if n != "c"]
                if len(numbers) == self.ndim and all(map(str.isdecimal, numbers)):
                    found.add(tuple(map(int, numbers)))
        return frozenset(
            one for one in found if all(k < n for k, n in zip(one, counts, strict=True))
        )

    def _read_block(self, bounds: list[Bounds]) -> NDArray[Any]:
        return np.asarray(self._array[as_slices(bounds)])

    def _check_declared_size(self) -> None:
        """Raise ValueError if the array cannot contain the size that it declares."""
        chunk = math.prod(self._array.chunks) * self.dtype.itemsize
        if chunk > _MAX_CHUNK_BYTES:
            raise UnsupportedError(
                f"got chunks of {chunk} bytes, wanted at most {_MAX_CHUNK_BYTES}"
            )
        if self.nbytes > MAX_SPARSE_BYTES:  # examines all files
            check_compression_ratio(self.nbytes, size_on_disk(self.path))


def import_zarr() -> Any:  # noqa: ANN401 - a module
    """Return the package `zarr`; raise ImportError with its installation command."""
    try:
        import zarr
    except ImportError as error:
        raise ImportError(
            "OME-Zarr needs the package zarr, which is not installed. Install it with: "
            'pip install "napari-inr-denoise[zarr]"'
        ) from error
    return zarr
