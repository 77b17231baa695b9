"""Write OME-Zarr with its resolution levels, one chunk per plane or tile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_inr_denoise.io.atomic import atomic_write_folder
from napari_inr_denoise.io.formats import is_zarr
from napari_inr_denoise.io.lazy.ordered_blocks import IndexedBlock, OrderedBlocks
from napari_inr_denoise.io.ome_zarr.lazy import import_zarr
from napari_inr_denoise.io.ome_zarr.levels import (
    Level,
    Levels,
    coarser_blocks,
    plan_levels,
)
from napari_inr_denoise.io.ome_zarr.ngff_reader import NEWEST
from napari_inr_denoise.io.ome_zarr.ngff_writer import (
    Range,
    group_attributes,
    uses_zarr3,
)
from napari_inr_denoise.io.ome_zarr.rgb_channels import (
    channel_blocks,
    samples_as_channels,
)
from napari_inr_denoise.io.record import ImageRecord

_READ_ORDER = "TCZYXS"
_MAX_CHUNK_PIXELS = 2**22
"""Maximum pixels of a plane in one chunk."""
_TILE_SIDE = 1024
"""Side in pixels of the chunks of larger planes."""
_LEVEL_CHUNK_SIDE = 512
"""Side of the chunks of all levels: viewers load whole ones, and want a power of 2."""


def write_zarr(
    path: Path,
    record: ImageRecord,
    provenance: Mapping[str, Any] | None,
    levels: Levels = 1,
) -> None:
    """Write an image as OME-Zarr, see `write_image`."""
    zarr = import_zarr()
    if path.exists() and not is_zarr(path):
        raise FileExistsError(f"{path} exists and is not a Zarr. Choose another name.")
    ordered, written = OrderedBlocks(record, _READ_ORDER), samples_as_channels(record)
    planned = plan_levels(written.size_of("Y"), written.size_of("X"), levels)
    zarr3 = uses_zarr3(record.ngff_version or NEWEST)
    side = None if ordered.pixels_per_plane <= _MAX_CHUNK_PIXELS else _TILE_SIDE
    chunk_side = side if len(planned) == 1 else _LEVEL_CHUNK_SIDE
    with atomic_write_folder(path) as temporary:
        group = zarr.create_group(str(temporary), zarr_format=3 if zarr3 else 2)
        blocks, ranges = channel_blocks(ordered, side), []
        for level in planned:
            array = group.create_array(
                level.path,
                dtype=ordered.dtype,
                # Where a chunk is missing, it was lost.
                config={"write_empty_chunks": True},
                **_sizes(written, level, chunk_side),
                **_layout(written.axes, zarr3),
            )
            ranges.append(_fill(array, blocks, written))
            blocks = coarser_blocks(array, level.coarser(), side)
        name = path.stem.removesuffix(".ome")
        group.attrs.put(
            group_attributes(record, written, provenance, planned, ranges, name)
        )


def _sizes(written: ImageRecord, level: Level, side: int | None) -> dict[str, Any]:
    """Return the shape of a level, and of its chunks: planes or tiles."""
    pairs = zip(written.axes, written.data.shape, strict=True)
    shape = tuple(level.sizes.get(axis, size) for axis, size in pairs)
    chunks = tuple(
        min(size, side or size) if axis in "YX" else 1
        for axis, size in zip(written.axes, shape, strict=True)
    )
    return {"shape": shape, "chunks": chunks}


def _fill(
    array: Any,  # noqa: ANN401 - array of zarr
    blocks: Iterator[IndexedBlock],
    written: ImageRecord,
) -> list[Range]:
    """Write the blocks of a level; return the range of finite values by channel."""
    ranges: list[Range] = [None] * written.size_of("C")
    for index, block in blocks:
        array[index] = block
        channel = index[written.axes.index("C")] if "C" in written.axes else 0
        assert isinstance(channel, int)  # a block lies in one plane
        finite = block[np.isfinite(block)]
        if finite.size:
            low, high = ranges[channel] or (np.inf, -np.inf)
            ends = float(finite.min()), float(finite.max())
            ranges[channel] = min(low, ends[0]), max(high, ends[1])
    return ranges


def _layout(axes: str, zarr3: bool) -> dict[str, Any]:
    """Return the options of a version: dimension names, or nested chunk folders."""
    if zarr3:
        return {"dimension_names": list(axes.lower())}
    separator = {"name": "v2", "separator": "/"}
    return {"chunk_key_encoding": separator}
