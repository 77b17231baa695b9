"""Chunks of a Zarr array that are not stored, also those inside of shards."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_EMPTY = 2**64 - 1
"""Offset of a chunk in the index of a shard that does not hold it."""
_ENTRY_BYTES, _CHECKSUM_BYTES = 16, 4


def chunk_counts(shape: Sequence[int], chunks: Sequence[int]) -> tuple[int, ...]:
    """Return the number of chunks along each axis."""
    pairs = zip(shape, chunks, strict=True)
    return tuple(-(-int(size) // int(chunk)) for size, chunk in pairs)


def lost_chunks(folder: Path, array: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - array of zarr
    """Return which chunks, by their numbers along each axis, are not stored.

    A file without a byte holds no chunk, and neither does a shard whose index does not
    fit its length: it is cut short.

    Parameters
    ----------
    folder : Path
        The folder of the array.
    array : array of zarr
        Its metadata.
    """
    lost = np.ones(chunk_counts(array.shape, array.chunks), np.bool_)
    per_file = chunk_counts(array.shards or array.chunks, array.chunks)
    for place, _, names in os.walk(folder):
        start = Path(place).relative_to(folder).parts
        for name in names:
            numbers = [n for n in ".".join((*start, name)).split(".") if n != "c"]
            if len(numbers) != array.ndim or not all(map(str.isdecimal, numbers)):
                continue
            firsts = [int(k) * n for k, n in zip(numbers, per_file, strict=True)]
            ends = zip(firsts, per_file, strict=True)
            part = lost[tuple(slice(at, at + count) for at, count in ends)]
            empty = _empty_in(Path(place, name), array, per_file)
            part[...] = empty[tuple(map(slice, part.shape))]
    return lost


def _empty_in(
    file: Path,
    array: Any,  # noqa: ANN401 - array of zarr
    counts: tuple[int, ...],
) -> NDArray[np.bool_]:
    """Return which chunks a file, which is one chunk or a shard, does not hold."""
    size = file.stat().st_size
    if array.shards is None or not size:
        return np.broadcast_to(np.bool_(not size), counts)
    layout = array.metadata.codecs[0].to_dict()["configuration"]
    codecs = [codec["name"] for codec in layout["index_codecs"]]
    if codecs not in (["bytes"], ["bytes", "crc32c"]):
        return np.broadcast_to(np.False_, counts)  # an index that only zarr can read
    length = math.prod(counts) * _ENTRY_BYTES
    whole = length + _CHECKSUM_BYTES * (len(codecs) - 1)
    if size < whole:
        return np.broadcast_to(np.True_, counts)
    with file.open("rb") as opened:
        opened.seek(0 if layout["index_location"] == "start" else size - whole)
        stored = opened.read(length)
    big = layout["index_codecs"][0].get("configuration", {}).get("endian") == "big"
    index = np.frombuffer(stored, ">u8" if big else "<u8").reshape(-1, 2)
    empty = (index == _EMPTY).all(axis=1)
    offsets, lengths = index.T
    fits = (offsets <= size) & (lengths <= size) & (offsets + lengths <= size)
    cut_short = not (empty | fits).all()
    return np.asarray(empty | cut_short).reshape(counts)
