"""Write OME-TIFF files."""

from __future__ import annotations

import sys
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tifffile import TiffWriter, imagej_metadata_tag

from napari_inr_denoise.io.atomic import atomic_write
from napari_inr_denoise.io.lazy.ordered_blocks import OrderedBlocks
from napari_inr_denoise.io.ome.writer import to_ome_xml
from napari_inr_denoise.io.record import ImageRecord

_OME_ORDER = "TCZYXS"
_MAX_STRIP_PIXELS = 2**24
"""Maximum pixels of a plane in strips, which more programs read than tiles."""
_TILE_SIDE = 1024
"""Side in pixels of the tiles of larger planes."""
_MAX_RATIO = 2**31
"""Maximum numerator and denominator of a resolution tag."""


def write_tiff(
    path: Path, record: ImageRecord, provenance: Mapping[str, Any] | None
) -> None:
    """Write an image as OME-TIFF, see `write_image`."""
    ordered = OrderedBlocks(record, _OME_ORDER)
    tile = None if ordered.pixels_per_plane <= _MAX_STRIP_PIXELS else _TILE_SIDE
    with (
        atomic_write(path) as temporary,
        TiffWriter(temporary, bigtiff=ordered.nbytes > 2**31, ome=False) as writer,
    ):
        writer.write(
            (block for _, block in ordered.blocks(tile)),
            shape=ordered.shape,
            dtype=ordered.dtype,
            tile=None if tile is None else (tile, tile),
            # Made by ome-types, which validates it; tifffile does not.
            description=to_ome_xml(record, ordered, provenance).encode(),
            metadata=None,
            software=False,
            compression="zlib",
            extratags=_imagej_tags(record),
            **_sample_layout(ordered.shape, ordered.axes),
            **_resolution(record),
        )


def _sample_layout(shape: tuple[int, ...], axes: str) -> dict[str, Any]:
    """Return the tags for the samples: RGB, or grey with alpha."""
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
    """Return the pixel size as tags, for programs that do not read OME-XML."""
    known = record.spacing_um
    if not {"Y", "X"} <= set(known):
        return {}
    pixels_per_cm = (1e4 / known["X"], 1e4 / known["Y"])
    if not all(1 / _MAX_RATIO < each < _MAX_RATIO for each in pixels_per_cm):
        return {}
    return {"resolution": pixels_per_cm, "resolutionunit": "CENTIMETER"}


def _imagej_tags(record: ImageRecord) -> list[tuple[int, int, int, bytes, bool]]:
    """Return the tags in which ImageJ looks for ROIs, lookup tables and ranges."""
    try:
        metadata = _imagej_metadata(record, record.attributes.get("ImageJ", {}))
    except (AttributeError, TypeError, ValueError):  # not as `imagej` made them
        return []
    order: Literal["<", ">"] = "<" if sys.byteorder == "little" else ">"
    return list(imagej_metadata_tag(metadata, order)) if metadata else []


def _imagej_metadata(record: ImageRecord, own: Mapping[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if "ROI" in own:
        metadata["ROI"] = b64decode(own["ROI"], validate=True)
    if "Overlays" in own:
        metadata["Overlays"] = [b64decode(each) for each in own["Overlays"]]
    if record.luts:
        tables = (np.frombuffer(lut, np.uint8) for lut in record.luts)
        metadata["LUTs"] = [table.reshape(3, 256) for table in tables]
        ranges = [end for ends in record.display_ranges for end in ends or ()]
        if ranges and len(ranges) == 2 * len(record.luts):
            metadata["Ranges"] = ranges
    return metadata
