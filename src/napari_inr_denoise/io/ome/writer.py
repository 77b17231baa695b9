"""Write metadata as OME-XML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from ome_types import OME, from_xml, to_xml
from ome_types.model import (
    Channel,
    Color,
    Map,
    MapAnnotation,
    Pixels,
    StructuredAnnotations,
    TiffData,
)
from ome_types.model import Pixels_DimensionOrder as Order

from napari_inr_denoise.io.extras import EXTRAS_KEY, PROVENANCE_KEY, extras_of
from napari_inr_denoise.io.lazy.ordered_blocks import OrderedBlocks
from napari_inr_denoise.io.ome.remainder import minimal_ome
from napari_inr_denoise.io.record import ImageRecord

_EXTRAS = (
    *("origin", "flipped", "calibration", "display_ranges", "luts", "attributes"),
    "ngff_version",
)
_TYPES = {"f4": "float", "f8": "double"} | {
    f"{sign}{size}": f"{name}{8 * size}"
    for sign, name in (("u", "uint"), ("i", "int"))
    for size in (1, 2, 4)
}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_ome_xml(
    record: ImageRecord, ordered: OrderedBlocks, provenance: Mapping[str, Any] | None
) -> str:
    """Return the OME-XML of a record that is written to one TIFF file.

    Parameters
    ----------
    record : ImageRecord
        The image with its metadata.
    ordered : OrderedBlocks
        Its values in the order of the file.
    provenance : mapping or None
        How the image was made, as JSON values.
    """
    sizes = {axis: record.size_of(axis) for axis in "XYZCTS"}
    samples = sizes.pop("S")
    sizes["C"] *= samples
    ome = _initial_ome(record, sizes, samples)
    _set_pixels(ome.images[0].pixels, record, ordered, sizes["C"] // samples)
    extras = extras_of(record, _EXTRAS) | {"axes": ordered.axes}
    objects = {EXTRAS_KEY: extras}
    if provenance is not None:
        objects[PROVENANCE_KEY] = dict(provenance)
    if record.missing is not None:
        lines = (ome.images[0].description, *record.notes)
        ome.images[0].description = "\n".join(
            _NOT_XML.sub("\ufffd", line) for line in lines if line
        )
    _annotate(ome, objects)
    return '<?xml version="1.0" encoding="UTF-8"?>' + to_xml(ome, indent=0)


def _initial_ome(record: ImageRecord, sizes: dict[str, int], samples: int) -> OME:
    """Return the OME metadata of the source as far as they fit the sizes.

    Those of channels fit while their number is the same, and those of single planes
    while there are as many along Z, C and T.
    """
    new = minimal_ome(sizes, samples)
    if not record.ome_xml:
        return new
    ome = from_xml(record.ome_xml)
    pixels, channels = ome.images[0].pixels, new.images[0].pixels.channels
    before = (pixels.channels[0].samples_per_pixel or 1) if pixels.channels else 1
    planes = pixels.size_z, pixels.size_c // before, pixels.size_t
    if planes != (sizes["Z"], len(channels), sizes["T"]):
        pixels.planes = []
    if len(pixels.channels) != len(channels):
        pixels.channels = channels
    for channel in pixels.channels:
        if (channel.samples_per_pixel or 1) != samples:
            channel.samples_per_pixel = samples
    for axis, size in sizes.items():
        setattr(pixels, f"size_{axis.lower()}", size)
    return ome


def _set_pixels(
    pixels: Pixels, record: ImageRecord, ordered: OrderedBlocks, channels: int
) -> None:
    """Set the metadata of the pixels: data type, sizes, names and colours."""
    dtype = np.dtype(ordered.dtype)
    pixels.dimension_order = Order.XYZCT
    pixels.type = _TYPES[dtype.str[1:]]  # type: ignore[assignment]
    pixels.tiff_data_blocks = [TiffData(ifd=0, plane_count=ordered.planes)]
    for axis, size in record.stated.items():
        name = "time_increment" if axis == "T" else f"physical_size_{axis.lower()}"
        setattr(pixels, name, size.value)
        setattr(pixels, f"{name}_unit", size.unit)
    for channel, text in _paired(pixels.channels, record.channel_names, channels):
        channel.name = _NOT_XML.sub("\ufffd", text)
    for channel, text in _paired(pixels.channels, record.channel_colours, channels):
        channel.color = Color(text)


def _paired(
    channels: list[Channel], texts: tuple[str, ...], count: int
) -> list[tuple[Channel, str]]:
    """Return channels with their non-empty texts; nothing if the numbers differ."""
    if len(channels) != count or len(texts) != count:
        return []
    return [pair for pair in zip(channels, texts, strict=True) if pair[1]]


def _annotate(ome: OME, objects: Mapping[str, Any]) -> None:
    pairs = [Map.M(k=key, value=json.dumps(value)) for key, value in objects.items()]
    own = MapAnnotation(
        id=f"Annotation:{PROVENANCE_KEY}",
        namespace=PROVENANCE_KEY,
        value=Map(ms=pairs),
    )
    if ome.structured_annotations is None:
        ome.structured_annotations = StructuredAnnotations()
    ome.structured_annotations.map_annotations.append(own)
