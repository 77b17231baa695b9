"""Write an image as OME-TIFF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tifffile import TiffWriter

from napari_inr_denoise.io.atomic import atomic_write
from napari_inr_denoise.io.lazy.ordered_blocks import OrderedBlocks
from napari_inr_denoise.io.ome.writer import to_ome_xml
from napari_inr_denoise.io.record import ImageRecord

_OME_ORDER = "TCZYXS"
_MOST_IN_A_PAGE = 2**24
"""Pixels of a plane up to which it is written in strips, which more programs read."""
_TILE = 1024
"""Side of the tiles of larger planes, in pixels."""
_LARGEST_RATIO = 2**31


def write_tiff(
    path: Path, record: ImageRecord, provenance: Mapping[str, Any] | None
) -> None:
    """Write an image; see `write_image`."""
    view = OrderedBlocks(record, _OME_ORDER)
    tile = None if view.page_pixels <= _MOST_IN_A_PAGE else _TILE
    with (
        atomic_write(path) as beside,
        TiffWriter(beside, bigtiff=view.nbytes > 2**31, ome=False) as writer,
    ):
        writer.write(
            (block for _, block in view.blocks(tile)),
            shape=view.shape,
            dtype=view.dtype,
            tile=None if tile is None else (tile, tile),
            # ome-types has checked it, as tifffile's own could not.
            description=to_ome_xml(record, view, provenance).encode(),
            metadata=None,
            software=False,
            compression="zlib",
            **_sample_layout(view.shape, view.axes),
            **_resolution(record),
        )


def _sample_layout(shape: tuple[int, ...], axes: str) -> dict[str, Any]:
    """Say how samples are to be understood: colours, or grey with alpha."""
    if "S" not in axes:
        return {"photometric": "minisblack"}
    if shape[-1] > 2:
        return {"photometric": "rgb", "planarconfig": "contig"}
    return {
        "photometric": "minisblack",
        "planarconfig": "contig",
        "extrasamples": ["unassalpha"] * (shape[-1] - 1),
    }


def _resolution(record: ImageRecord) -> dict[str, Any]:
    """Give the pixel size in the tags too, for programs that know no OME."""
    known = record.spacing_um
    if not {"Y", "X"} <= set(known):
        return {}
    pixels_per_cm = (1e4 / known["X"], 1e4 / known["Y"])
    if not all(1 / _LARGEST_RATIO < each < _LARGEST_RATIO for each in pixels_per_cm):
        return {}
    return {"resolution": pixels_per_cm, "resolutionunit": "CENTIMETER"}
