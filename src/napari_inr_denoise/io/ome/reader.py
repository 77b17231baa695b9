"""Read metadata from OME-XML."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

from napari_inr_denoise.io.extras import EXTRAS_KEY, with_extras
from napari_inr_denoise.io.ome.remainder import remainder_of
from napari_inr_denoise.io.ome.schema import newest_version
from napari_inr_denoise.io.record import ImageRecord, Quantity, as_number, usable_size
from napari_inr_denoise.io.units import unit_symbol
from napari_inr_denoise.io.untrusted.xml import children, descendants, parse_xml

_JITTER = 0.1
"""Share of a time step by which the steps between planes may differ."""
_SIZES = {a: f"PhysicalSize{a}" for a in "ZYX"} | {"T": "TimeIncrement"}


def with_ome_metadata(
    record: ImageRecord, xml: str, *, fits: bool = True
) -> ImageRecord:
    """Return a record with the metadata of the first image in OME-XML.

    Parameters
    ----------
    record : ImageRecord
        Record with values and axes.
    xml : str
        OME-XML of any version.
    fits : bool
        Whether the planes were found by what it says.
    """
    xml = newest_version(xml)
    root = parse_xml(xml)
    images = children(root, "Image")
    if not images:
        return _with_set_note(record, root)
    pixels = children(images[0], "Pixels")[0]
    channels = children(pixels, "Channel")
    stated, said = _sizes(pixels)
    if "T" not in stated:
        stated |= _time_step(pixels)
    rest, notes = remainder_of(xml)
    if not fits:
        said += (
            "The planes of the file are not those that its OME-XML describes; they "
            "were read in their order.",
        )
    described = replace(
        record.with_stated(stated),
        channel_names=_unless_empty([c.attrib.get("Name", "") for c in channels]),
        channel_colours=_unless_empty([_colour(c) for c in channels]),
        ome_xml=rest,
        notes=record.notes + said + notes,
    )
    return with_extras(described, json_annotation(root, EXTRAS_KEY) or {})


def json_annotation(root: Element, key: str) -> dict[str, Any] | None:
    """Return the JSON object with a key in a map annotation; None without it."""
    for pair in descendants(root, "M"):
        if pair.attrib.get("K") == key and pair.text:
            loaded: dict[str, Any] = json.loads(pair.text)
            return loaded
    return None


def _with_set_note(record: ImageRecord, root: Element) -> ImageRecord:
    """Add a note that the metadata of a set are in another file."""
    names = [each.attrib.get("MetadataFile") for each in children(root, "BinaryOnly")]
    note = "The OME-XML of the file describes no image; its planes were read."
    if names:
        note = (
            f"The file is a part of a set, which {names[0]} describes; only the planes "
            "in this file were read."
        )
    return replace(record, notes=(*record.notes, note))


def _sizes(pixels: Element) -> tuple[dict[str, Quantity], tuple[str, ...]]:
    stated: dict[str, Quantity] = {}
    notes: tuple[str, ...] = ()
    for axis, name in _SIZES.items():
        if name not in pixels.attrib:
            continue
        size, said = usable_size(name, pixels.attrib[name])
        unit = pixels.attrib.get(f"{name}Unit", "s" if axis == "T" else "\u00b5m")
        symbol = unit_symbol(unit, "time" if axis == "T" else "length")
        if symbol is None:
            said = (f"The unit of {name}, {unit!r}, is not known; the size is lost.",)
        elif size is not None:
            stated[axis] = Quantity(size, symbol)
        notes += said
    return stated, notes


def _time_step(pixels: Element) -> dict[str, Quantity]:
    """Return the step between the times of planes, where these are even."""
    first = [
        plane.attrib
        for plane in children(pixels, "Plane")
        if plane.attrib.get("TheZ") == plane.attrib.get("TheC") == "0"
    ]
    places = [as_number(plane.get("TheT")) for plane in first]
    times = [as_number(plane.get("DeltaT")) for plane in first]
    units = {plane.get("DeltaTUnit", "s") for plane in first}
    symbol = unit_symbol(units.pop(), "time") if len(units) == 1 else None
    ordered = len(places) > 1 and places == list(range(len(places)))
    if symbol is None or not ordered or len(places) != as_number(pixels.get("SizeT")):
        return {}
    steps = [later - time for time, later in pairwise(times)]
    mean = (times[-1] - times[0]) / len(steps)
    even = mean > 0 and all(abs(step - mean) <= _JITTER * mean for step in steps)
    return {"T": Quantity(mean, symbol)} if even else {}


def _colour(channel: Element) -> str:
    """Return a colour as #rrggbb, or #rrggbbaa if it is not opaque.

    A transparent colour is omitted: some programs write it for unknown colours.
    """
    number = as_number(channel.attrib.get("Color", 0))
    text = f"{int(number) & 0xFFFFFFFF:08x}" if math.isfinite(number) else "00"
    if text.endswith("00"):
        return ""
    return "#" + (text[:6] if text.endswith("ff") else text)


def _unless_empty(values: list[str]) -> tuple[str, ...]:
    return tuple(values) if any(values) else ()
