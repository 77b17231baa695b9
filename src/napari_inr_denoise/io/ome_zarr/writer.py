"""Write an image as OME-Zarr: one level, a chunk for each plane or tile."""

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
_MOST_IN_A_CHUNK = 2**22
"""Pixels of a plane up to which it is one chunk."""
_TILE = 1024
"""Side of the chunks of larger planes, in pixels."""


def write_zarr(
    path: Path, record: ImageRecord, provenance: Mapping[str, Any] | None
) -> None:
    """Write an image; see `write_image`."""
    zarr = import_zarr()
    if path.exists() and not is_zarr(path):
        raise FileExistsError(f"{path} exists and is no Zarr. Choose another name.")
    view, said = OrderedBlocks(record, _READ_ORDER), samples_as_channels(record)
    newer = uses_zarr3(record.ngff_version or NEWEST)
    side = None if view.page_pixels <= _MOST_IN_A_CHUNK else _TILE
    with atomic_write_folder(path) as beside:
        group = zarr.create_group(
            str(beside),
            zarr_format=3 if newer else 2,
            attributes=group_attributes(record, said, provenance),
        )
        array = group.create_array(
            "0",
            shape=said.data.shape,
            dtype=view.dtype,
            chunks=tuple(
                min(size, side or size) if axis in "YX" else 1
                for axis, size in zip(said.axes, said.data.shape, strict=True)
            ),
            **_layout(said.axes, newer),
        )
        for place, block in channel_blocks(view, side):
            array[place] = block


def _layout(axes: str, newer: bool) -> dict[str, Any]:
    """Return what the versions want: dimension names, or chunks in nested folders."""
    if newer:
        return {"dimension_names": list(axes.lower())}
    separator = {"name": "v2", "separator": "/"}
    return {"chunk_key_encoding": separator}
