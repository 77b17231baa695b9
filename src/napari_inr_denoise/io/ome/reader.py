"""Sizes, names, colours and all the rest out of OME-XML."""

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
    """Return a record with what OME-XML says of its image.

    Parameters
    ----------
    record : ImageRecord
        Its values and axes are taken as they are.
    xml : str
        OME-XML of any version.
    """
    root = parse_xml(xml)
    images = children(root, "Image")
    if not images:
        return _of_a_set(record, root)
    pixels = children(images[0], "Pixels")[0]
    channels = children(pixels, "Channel")
    rest, notes = remainder_of(xml)
    known = replace(
        record.with_stated(_sizes(pixels)),
        channel_names=_unless_empty([c.attrib.get("Name", "") for c in channels]),
        channel_colours=_unless_empty([_colour(c) for c in channels]),
        ome_xml=rest,
        notes=record.notes + notes,
    )
    return with_extras(known, json_annotation(root, EXTRAS_KEY) or {})


def json_annotation(root: Element, key: str) -> dict[str, Any] | None:
    """Return the JSON object under a key of a map annotation, None without one."""
    for pair in descendants(root, "M"):
        if pair.attrib.get("K") == key and pair.text:
            loaded: dict[str, Any] = json.loads(pair.text)
            return loaded
    return None


def _of_a_set(record: ImageRecord, root: Element) -> ImageRecord:
    """Say where the description of a file is that is part of a set."""
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


def _quantity(pixels: Element, name: str, usual: str) -> tuple[float, str]:
    """Return a value and its unit; 0 if it is not given."""
    value = float(pixels.attrib.get(name, 0))
    unit = pixels.attrib.get(f"{name}Unit", usual)
    return value if value < float("inf") else 0.0, unit


def _colour(channel: Element) -> str:
    """Return a colour as #rrggbb, with its alpha where it is not opaque.

    Some programs write a colour that cannot be seen where they know none.
    """
    text = f"{int(channel.attrib.get('Color', 0)) & 0xFFFFFFFF:08x}"
    if text.endswith("00"):
        return ""
    return "#" + (text[:6] if text.endswith("ff") else text)


def _unless_empty(values: list[str]) -> tuple[str, ...]:
    return tuple(values) if any(values) else ()
