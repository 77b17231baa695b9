"""Write OME-Zarr with one resolution level, one chunk per plane or tile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_inr_denoise.io.atomic import atomic_write_folder
from napari_inr_denoise.io.formats import is_zarr
from napari_inr_denoise.io.lazy.ordered_blocks import OrderedBlocks
from napari_inr_denoise.io.ome_zarr.lazy import import_zarr
from napari_inr_denoise.io.ome_zarr.ngff_reader import NEWEST
from napari_inr_denoise.io.ome_zarr.ngff_writer import group_attributes, uses_zarr3
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


def write_zarr(
    path: Path, record: ImageRecord, provenance: Mapping[str, Any] | None
) -> None:
    """Write an image as OME-Zarr, see `write_image`."""
    zarr = import_zarr()
    if path.exists() and not is_zarr(path):
        raise FileExistsError(f"{path} exists and is not a Zarr. Choose another name.")
    ordered, written = OrderedBlocks(record, _READ_ORDER), samples_as_channels(record)
    zarr3 = uses_zarr3(record.ngff_version or NEWEST)
    side = None if ordered.pixels_per_plane <= _MAX_CHUNK_PIXELS else _TILE_SIDE
    with atomic_write_folder(path) as temporary:
        group = zarr.create_group(
            str(temporary),
            zarr_format=3 if zarr3 else 2,
            attributes=group_attributes(record, written, provenance),
        )
        array = group.create_array(
            "0",
            shape=written.data.shape,
            dtype=ordered.dtype,
            chunks=tuple(
                min(size, side or size) if axis in "YX" else 1
                for axis, size in zip(written.axes, written.data.shape, strict=True)
            ),
            # Where a chunk is missing, it was lost.
            config={"write_empty_chunks": True},
            **_layout(written.axes, zarr3),
        )
        for index, block in channel_blocks(ordered, side):
            array[index] = block


def _layout(axes: str, zarr3: bool) -> dict[str, Any]:
    """Return the options of a version: dimension names, or nested chunk folders."""
    if zarr3:
        return {"dimension_names": list(axes.lower())}
    separator = {"name": "v2", "separator": "/"}
    return {"chunk_key_encoding": separator}
