"""Zarr array as a lazy array."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.image.indexing import Bounds, as_slices, block_shape
from napari_inr_denoise.io.entries import ImageChoiceError
from napari_inr_denoise.io.faults import UnsupportedError
from napari_inr_denoise.io.formats import size_on_disk
from napari_inr_denoise.io.lazy.file_array import FileArray
from napari_inr_denoise.io.ome_zarr.chunks import chunk_counts, lost_chunks
from napari_inr_denoise.io.untrusted.size_limits import (
    MAX_SPARSE_BYTES,
    check_compression_ratio,
    check_count,
)

_LISTED = 6
"""Number of planes with missing chunks that are listed."""
_MAX_CHUNKS = 10**8
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
        """Names of the dimensions; empty if the array has none."""
        return tuple(getattr(self._array.metadata, "dimension_names", None) or ())

    @property
    def missing(self) -> str:
        """Chunks that are not stored, as text; empty if all are.

        Raises
        ------
        ImageChoiceError
            If none is.
        """
        lost = self._lost
        if not lost.any():
            return ""
        if lost.all():
            raise ImageChoiceError(
                f"none of its {lost.size} chunks is stored. Copy the Zarr again."
            )
        planes = lost.any(axis=tuple(range(max(self.ndim - 2, 0), self.ndim)))
        for axis, size in enumerate(self.shape[: planes.ndim]):
            planes = planes.take(np.arange(size) // self._array.chunks[axis], axis)
        numbers = np.flatnonzero(planes) + 1
        listed = ", ".join(map(str, numbers[:_LISTED]))
        more = f" and {len(numbers) - _LISTED} more" * (len(numbers) > _LISTED)
        return (
            f"missing chunks: {lost.sum()} of {lost.size}, in {len(numbers)} of "
            f"{planes.size} planes (number {listed}{more}); the copy is broken, or "
            "blank chunks were left out on purpose"
        )

    def missing_in(self, bounds: list[Bounds]) -> NDArray[np.bool_]:
        """Return which values of a block are in chunks that are not stored."""
        pairs = zip(bounds, self._array.chunks, strict=True)
        return np.asarray(
            self._lost[np.ix_(*(np.arange(*ends) // size for ends, size in pairs))]
        )

    @cached_property
    def _lost(self) -> NDArray[np.bool_]:
        return lost_chunks(self.path, self._array)

    def _read_block(self, bounds: list[Bounds]) -> NDArray[Any]:
        try:
            return np.asarray(self._array[as_slices(bounds)])
        except Exception:
            if not self.missing_in(bounds).any():
                raise
            return self._read_stored(bounds)  # past files that are cut short

    def _read_stored(self, bounds: list[Bounds]) -> NDArray[Any]:
        """Return the values of a block, 0 in chunks that are not stored."""
        block = np.zeros(block_shape(bounds), self.dtype)
        for chunk, part in self._chunks_in(bounds):
            if not self._lost[chunk]:
                starts = zip(part, bounds, strict=True)
                place = [slice(p.start - a, p.stop - a) for p, (a, _) in starts]
                block[tuple(place)] = self._array[part]
        return block

    def _chunks_in(
        self, bounds: list[Bounds]
    ) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """Yield the number of each chunk, and its part of a block."""
        axes = list(zip(bounds, self._array.chunks, strict=True))
        for chunk in product(*(range(a // n, -(-b // n)) for (a, b), n in axes)):
            pairs = zip(chunk, axes, strict=True)
            ends = ((max(k * n, a), min((k + 1) * n, b)) for k, ((a, b), n) in pairs)
            yield chunk, as_slices(list(ends))

    def find_damage(self) -> None:
        """Count chunks that cannot be decoded as missing; each is read once."""
        for chunk, part in self._chunks_in([(0, size) for size in self.shape]):
            try:
                _ = None if self._lost[chunk] else self._array[part]
            except MemoryError:
                raise
            except Exception:  # noqa: BLE001 - of the codec
                self._lost[chunk] = True

    def _check_declared_size(self) -> None:
        """Raise ValueError if the array cannot contain the size that it declares."""
        chunk = math.prod(self._array.chunks) * self.dtype.itemsize
        if chunk > _MAX_CHUNK_BYTES:
            raise UnsupportedError(
                f"got chunks of {chunk} bytes, wanted at most {_MAX_CHUNK_BYTES}"
            )
        counts = chunk_counts(self.shape, self._array.chunks)
        check_count(math.prod(counts), "chunks", _MAX_CHUNKS)
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
