"""Read metadata from OME-XML."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from xml.etree.ElementTree import Element

from napari_inr_denoise.io.extras import EXTRAS_KEY, with_extras
from napari_inr_denoise.io.ome.remainder import remainder_of
from napari_inr_denoise.io.record import ImageRecord, Quantity
from napari_inr_denoise.io.units import unit_symbol
from napari_inr_denoise.io.untrusted.xml import children, descendants, parse_xml


def with_ome_metadata(record: ImageRecord, xml: str) -> ImageRecord:
    """Return a record with the metadata of the first image in OME-XML.

    Parameters
    ----------
    record : ImageRecord
        Record with values and axes.
    xml : str
        OME-XML of any version.
    """
    root = parse_xml(xml)
    images = children(root, "Image")
    if not images:
        return _with_set_note(record, root)
    pixels = children(images[0], "Pixels")[0]
    channels = children(pixels, "Channel")
    rest, notes = remainder_of(xml)
    described = replace(
        record.with_stated(_sizes(pixels)),
        channel_names=_unless_empty([c.attrib.get("Name", "") for c in channels]),
        channel_colours=_unless_empty([_colour(c) for c in channels]),
        ome_xml=rest,
        notes=record.notes + notes,
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
    where = f"see {names[0]}" if names else "its OME-XML holds no image"
    note = f"The file is described elsewhere: {where}; only its own planes were read."
    return replace(record, notes=(*record.notes, note))


def _sizes(pixels: Element) -> Mapping[str, Quantity]:
    stated = {}
    for axis in "ZYX":
        size = _quantity(pixels, f"PhysicalSize{axis}", "\u00b5m")
        symbol = unit_symbol(size[1], "length")
        if size[0] > 0 and symbol:
            stated[axis] = Quantity(size[0], symbol)
    step = _quantity(pixels, "TimeIncrement", "s")
    symbol = unit_symbol(step[1], "time")
    if step[0] > 0 and symbol:
        stated["T"] = Quantity(step[0], symbol)
    return stated


def _quantity(pixels: Element, name: str, default_unit: str) -> tuple[float, str]:
    """Return a value and its unit; 0 if it is missing or infinite."""
    value = float(pixels.attrib.get(name, 0))
    unit = pixels.attrib.get(f"{name}Unit", default_unit)
    return value if value < float("inf") else 0.0, unit


def _colour(channel: Element) -> str:
    """Return a colour as #rrggbb, or #rrggbbaa if it is not opaque.

    A transparent colour is omitted: some programs write it for unknown colours.
    """
    text = f"{int(channel.attrib.get('Color', 0)) & 0xFFFFFFFF:08x}"
    if text.endswith("00"):
        return ""
    return "#" + (text[:6] if text.endswith("ff") else text)


def _unless_empty(values: list[str]) -> tuple[str, ...]:
    return tuple(values) if any(values) else ()
