"""Metadata of ImageJ TIFF files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tifffile import TiffFile

from napari_inr_denoise.io.extras import to_json
from napari_inr_denoise.io.record import ImageRecord, Quantity
from napari_inr_denoise.io.tiff.tags import pixel_sizes
from napari_inr_denoise.io.units import unit_symbol

_IN_RECORD = (
    *("ImageJ", "images", "channels", "slices", "frames", "hyperstack", "unit"),
    *("spacing", "finterval", "tunit", "min", "max", "Ranges", "LUTs", "order"),
    *("xorigin", "yorigin", "zorigin"),
)


def with_imagej_metadata(record: ImageRecord, tiff: TiffFile) -> ImageRecord:
    """Return a record with the metadata in ImageJ's description and metadata tag."""
    metadata = tiff.imagej_metadata or {}
    stated, notes = _sizes(metadata, tiff)
    luts = tuple(lut.tobytes() for lut in metadata.get("LUTs", ()))
    luts = luts if all(len(lut) == 768 for lut in luts) else ()
    rest = {k: v for k, v in metadata.items() if k not in _IN_RECORD}
    return replace(
        record.with_stated(stated),
        origin=_origin(metadata, stated),
        channel_names=_names(record, metadata.get("Labels", [])),
        channel_colours=tuple(_colour_of(lut) for lut in luts),
        display_ranges=_ranges(record, metadata),
        luts=luts,
        attributes={"ImageJ": to_json(rest)} if rest else {},
        notes=record.notes + notes,
    )


def _sizes(
    metadata: Mapping[str, Any], tiff: TiffFile
) -> tuple[dict[str, Quantity], tuple[str, ...]]:
    unit = str(metadata.get("unit", ""))
    symbol = unit_symbol(unit, "length")
    notes: tuple[str, ...] = ()
    stated: dict[str, Quantity] = {}
    if symbol not in (None, "pixel"):
        sizes = pixel_sizes(tiff) | {"Z": float(metadata.get("spacing", 0))}
        stated = {a: Quantity(s, str(symbol)) for a, s in sizes.items() if _is_size(s)}
    elif unit and symbol is None:
        notes = (f"The file's unit of length, {unit!r}, is not known; sizes are lost.",)
    step = float(metadata.get("finterval", 0))
    time_unit = unit_symbol(str(metadata.get("tunit", "s")), "time")
    if _is_size(step) and time_unit:
        stated["T"] = Quantity(step, time_unit)
    return stated, notes


def _is_size(value: float) -> bool:
    return 0 < value < math.inf


def _origin(
    metadata: Mapping[str, Any], stated: Mapping[str, Quantity]
) -> dict[str, float]:
    """Return the position of the first pixel; ImageJ stores the pixel at position 0."""
    pixels = {axis: float(metadata.get(f"{axis.lower()}origin", 0)) for axis in "ZYX"}
    return {
        axis: -pixel * stated[axis].value
        for axis, pixel in pixels.items()
        if pixel and math.isfinite(pixel) and axis in stated
    }


def _ranges(
    record: ImageRecord, metadata: Mapping[str, Any]
) -> tuple[tuple[float, float] | None, ...]:
    flat = [float(value) for value in metadata.get("Ranges", ())]
    if not flat and record.size_of("C") == 1 and {"min", "max"} <= set(metadata):
        flat = [float(metadata["min"]), float(metadata["max"])]
    pairs = zip(flat[::2], flat[1::2], strict=False)
    return tuple(pair if all(map(math.isfinite, pair)) else None for pair in pairs)


def _names(record: ImageRecord, labels: list[str]) -> tuple[str, ...]:
    """Return the labels of the planes if each plane is a channel."""
    planes = math.prod(record.size_of(axis) for axis in "TCZ")
    return tuple(labels) if len(labels) == planes == record.size_of("C") else ()


def _colour_of(lut: bytes) -> str:
    """Return the brightest colour of a lookup table."""
    return f"#{lut[255]:02x}{lut[511]:02x}{lut[767]:02x}"
