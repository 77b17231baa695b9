"""Metadata of ImageJ TIFF files, by the rules of ImageJ's own reader."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from tifffile import RESUNIT, TiffFile

from napari_inr_denoise.io.extras import to_json
from napari_inr_denoise.io.record import (
    Calibration,
    ImageRecord,
    Quantity,
    as_number,
    usable_size,
)
from napari_inr_denoise.io.tiff.imagej_dimensions import dimensions_note
from napari_inr_denoise.io.tiff.tags import INCH_NOTE, pixel_sizes, resolution_unit
from napari_inr_denoise.io.units import unit_symbol

_IN_RECORD = (
    *("ImageJ", "images", "channels", "slices", "frames", "hyperstack"),
    *("unit", "yunit", "zunit", "spacing", "finterval", "tunit"),
    *("min", "max", "Ranges", "LUTs", "order", "xorigin", "yorigin", "zorigin"),
)
_NO_UNITS = ("", "pixel")
_STRAIGHT_LINE, _UNCALIBRATED = 0, 20
_SIGNED_OFFSET = 32768
"""What ImageJ adds to signed 16-bit numbers when it reads them."""
_Sizes = tuple[dict[str, Quantity], tuple[str, ...]]


def with_imagej_metadata(record: ImageRecord, tiff: TiffFile) -> ImageRecord:
    """Return a record with the metadata in ImageJ's description and metadata tag."""
    metadata = tiff.imagej_metadata or {}
    lengths, notes = _lengths(record, metadata, tiff)
    times, said = _time_step(record, metadata)
    calibration, told = _calibration(record, metadata)
    stated = lengths | times
    luts = tuple(lut.tobytes() for lut in metadata.get("LUTs", ()))
    luts = luts if all(len(lut) == 768 for lut in luts) else ()
    rest = {k: v for k, v in metadata.items() if k not in _IN_RECORD}
    return replace(
        record.with_stated(stated),
        origin=_origin(metadata, stated),
        calibration=calibration,
        channel_names=_names(record, metadata.get("Labels", [])),
        channel_colours=tuple(_colour_of(lut) for lut in luts),
        display_ranges=_ranges(record, metadata),
        luts=luts,
        attributes={"ImageJ": to_json(rest)} if rest else {},
        notes=record.notes + dimensions_note(tiff) + notes + said + told,
    )


def _lengths(
    record: ImageRecord, metadata: Mapping[str, Any], tiff: TiffFile
) -> _Sizes:
    """Return the sizes along Z, Y and X: each axis may have a unit of its own."""
    page = tiff.pages.first
    sizes, tag_unit = pixel_sizes(page), resolution_unit(page)
    unit = str(metadata.get("unit", ""))
    notes: tuple[str, ...] = ()
    if tag_unit == RESUNIT.CENTIMETER and unit in ("", "um"):
        # ImageJ converts to um. Other programs leave the unit to the tag.
        sizes = {axis: size * 1e4 for axis, size in sizes.items()}
        unit = "um"
    elif tag_unit == RESUNIT.INCH and not unit:
        notes += (INCH_NOTE,)
    units = {
        "X": unit,
        "Y": str(metadata.get("yunit", "")) or unit,
        "Z": str(metadata.get("zunit", "")) or unit,
    }
    deep = record.size_of("Z") > 1
    if (deep or "spacing" in metadata) and units["Z"] not in _NO_UNITS:
        step, said = _plane_distance(metadata, units["Z"])
        sizes |= step
        notes += said if deep else ()
    stated = {}
    unknown = []
    for axis, size in sizes.items():
        symbol = unit_symbol(units[axis], "length")
        if symbol is None and units[axis]:
            unknown += [units[axis]] * (deep or axis != "Z")
        elif symbol not in (None, "pixel"):
            stated[axis] = Quantity(size, str(symbol))
    for each in dict.fromkeys(unknown):
        notes += (
            f"The file's unit of length, {each!r}, is not known; sizes are lost.",
        )
    return stated, notes


def _plane_distance(
    metadata: Mapping[str, Any], unit: str
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the distance of planes, which ImageJ does not write if it is 1."""
    if "spacing" not in metadata:
        note = (
            f"The file states no distance of planes. ImageJ leaves it out if it is "
            f"1 {unit}; 1 {unit} is used."
        )
        return {"Z": 1.0}, (note,)
    size, notes = usable_size("distance of planes", metadata["spacing"])
    return ({} if size is None else {"Z": size}), notes


def _time_step(record: ImageRecord, metadata: Mapping[str, Any]) -> _Sizes:
    value = metadata.get("finterval", 0)
    if not value:
        return {}, ()
    step, notes = usable_size("frame interval", value)
    spelled = str(metadata.get("tunit", "")) or "sec"
    symbol = unit_symbol(spelled, "time")
    if symbol is None:
        step, notes = None, (f"The file's unit of time, {spelled!r}, is not known.",)
    stated = {} if step is None else {"T": Quantity(step, str(symbol))}
    return stated, notes if record.size_of("T") > 1 else ()


def _calibration(
    record: ImageRecord, metadata: Mapping[str, Any]
) -> tuple[Calibration | None, tuple[str, ...]]:
    """Return the calibration of the intensities; ImageJ has it for 8 and 16 bits."""
    dtype = np.dtype(record.data.dtype)
    function = as_number(metadata.get("cf", _STRAIGHT_LINE))
    coefficients = [as_number(metadata[k]) for k in ("c0", "c1") if k in metadata]
    unit = str(metadata.get("vunit", ""))
    applies = dtype.kind in "iu" and dtype.itemsize <= 2 and "S" not in record.axes
    if "vunit" not in metadata or not applies or function == _UNCALIBRATED:
        return None, ()
    if function != _STRAIGHT_LINE:
        note = (
            f"ImageJ shows calibrated values (function {function:g}, unit {unit!r}), "
            "which are no straight line of the numbers in the file; the numbers are "
            "used."
        )
        return None, (note,)
    if len(coefficients) < 2 or not coefficients[1] or not _finite(coefficients):
        return None, ()
    offset, slope = coefficients
    if dtype.kind == "i" and dtype.itemsize == 2:
        offset += slope * _SIGNED_OFFSET
    if (offset, slope) == (0.0, 1.0):
        return None, ()
    note = (
        f"The file's calibration was applied, as in ImageJ: value = {offset:g} "
        f"{'-' if slope < 0 else '+'} {abs(slope):g} x number in the file "
        f"({unit or 'no unit'}). With --dtype same, numbers are written, not values."
    )
    if metadata.get("zeroclip"):
        note += " ImageJ shows values below 0 as 0; here they are kept."
    return Calibration(offset, slope, str(dtype), unit), (note,)


def _finite(values: list[float]) -> bool:
    return all(map(math.isfinite, values))


def _origin(
    metadata: Mapping[str, Any], stated: Mapping[str, Quantity]
) -> dict[str, float]:
    """Return the position of the first pixel; ImageJ stores the pixel at position 0."""
    stored = {axis: metadata.get(f"{axis.lower()}origin", 0) for axis in "ZYX"}
    pixels = {axis: as_number(pixel) for axis, pixel in stored.items()}
    return {
        axis: -pixel * stated[axis].value
        for axis, pixel in pixels.items()
        if pixel and math.isfinite(pixel) and axis in stated
    }


def _ranges(
    record: ImageRecord, metadata: Mapping[str, Any]
) -> tuple[tuple[float, float] | None, ...]:
    flat = [as_number(value) for value in metadata.get("Ranges", ())]
    if not flat and record.size_of("C") == 1 and {"min", "max"} <= set(metadata):
        flat = [as_number(metadata["min"]), as_number(metadata["max"])]
    pairs = zip(flat[::2], flat[1::2], strict=False)
    return tuple(pair if all(map(math.isfinite, pair)) else None for pair in pairs)


def _names(record: ImageRecord, labels: list[str]) -> tuple[str, ...]:
    """Return the labels of the planes if each plane is a channel."""
    planes = math.prod(record.size_of(axis) for axis in "TCZ")
    return tuple(labels) if len(labels) == planes == record.size_of("C") else ()


def _colour_of(lut: bytes) -> str:
    """Return the brightest colour of a lookup table."""
    return f"#{lut[255]:02x}{lut[511]:02x}{lut[767]:02x}"
