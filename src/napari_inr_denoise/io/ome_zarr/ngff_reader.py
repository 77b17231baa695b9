"""Read the metadata of OME-Zarr, versions 0.4 and 0.5."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from napari_inr_denoise.io.extras import PROVENANCE_KEY, with_extras
from napari_inr_denoise.io.ome_zarr.rgb_channels import channels_as_samples
from napari_inr_denoise.io.record import (
    ImageRecord,
    Quantity,
    as_number,
    usable_size,
    with_metadata,
)
from napari_inr_denoise.io.units import unit_symbol

_MULTISCALE_KEYS = (
    *("axes", "datasets", "coordinateTransformations", "version", "type", "metadata"),
)
NO_UNIT = "reference frame"
"""Unit symbol of OME for a size without a unit."""
_HEX = re.compile("#?([0-9a-f]{6}(?:[0-9a-f]{2})?)", re.IGNORECASE)
_FLIPPED = "its size is used, and a Zarr is written with the sign"
FILLED_KEY = "filled"
"""Key of what `write_zarr` made up for viewers, by channel, among our attributes."""
NEWEST = "0.5"
"""Newest version of OME-Zarr that is written."""
_SYSTEMS, _STEPS = "coordinateSystems", "coordinateTransformations"


def ngff_metadata(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object with multiscales and omero: "ome" since version 0.5."""
    metadata = attributes.get("ome", attributes)
    if not isinstance(metadata, Mapping):
        raise ValueError('got "ome" attributes that are not a JSON object')
    return metadata


def as_known(multiscale: Mapping[str, Any]) -> dict[str, Any]:
    """Return a multiscale with its axes and transformations where 0.5 has them.

    Since version 0.6 each coordinate system has axes of its own. The transformations
    of a level lead to the first one, those of the multiscale from there to others.
    """
    known = dict(multiscale)
    if not known.get(_SYSTEMS):
        return known
    known["axes"] = known.pop(_SYSTEMS)[0]["axes"]
    known["datasets"] = [
        {**level, _STEPS: list(_steps(level.get(_STEPS, ())))}
        for level in known["datasets"]
    ]
    further = known.pop(_STEPS, ())
    # An unknown type: the reader then adds a note that it is not used.
    known[_STEPS] = [{"type": "between coordinate systems"}] * bool(further)
    return known


def _steps(stated: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the transformations of a list, those in sequences one by one."""
    for each in stated:
        if each.get("type") == "sequence":
            yield from _steps(each.get("transformations", ()))
        else:
            yield each


def with_ngff_metadata(
    record: ImageRecord, attributes: Mapping[str, Any]
) -> ImageRecord:
    """Return a record with the metadata of a multiscale group.

    Parameters
    ----------
    record : ImageRecord
        Record with the values and axes of the file. Channels that were written from
        samples become samples again.
    attributes : mapping
        Attributes of the group.
    """
    metadata = ngff_metadata(attributes)
    multiscale = metadata["multiscales"][0]
    zarr3 = "ome" in attributes
    version = metadata.get("version") if zarr3 else multiscale.get("version", "0.4")
    scale, origin, said = _transformation(multiscale, len(record.axes))
    stated, notes = _sizes(record.axes, scale, multiscale["axes"])
    described = replace(
        record.with_stated(stated),
        flipped="".join(
            a
            for a, size in zip(record.axes, scale, strict=False)
            if a != "C" and size < 0
        ),
        origin={a: v for a, v in zip(record.axes, origin, strict=True) if v},
        ngff_version=str(version or NEWEST),
        notes=record.notes + said + notes,
    )
    described = with_metadata(
        described, lambda one: _with_display(one, attributes), "display settings"
    )
    own = attributes.get(PROVENANCE_KEY, {})
    described = _with_checked_extras(described, own.get("record", {}))
    return channels_as_samples(described, own.get("samples", {}))


def _with_display(record: ImageRecord, attributes: Mapping[str, Any]) -> ImageRecord:
    """Add names, colours and ranges of the channels, and all other attributes."""
    attributes = _without_filled(attributes)
    record = replace(record, attributes=_rest(attributes))
    return _with_omero(record, ngff_metadata(attributes).get("omero", {}))


def _with_checked_extras(record: ImageRecord, extras: Mapping[str, Any]) -> ImageRecord:
    """Add the fields that OME-Zarr cannot express; their OME-XML is validated."""
    record = with_extras(record, extras)
    if not record.ome_xml:
        return record
    from napari_inr_denoise.io.ome.remainder import remainder_of

    rest, notes = remainder_of(record.ome_xml)
    return replace(record, ome_xml=rest, notes=record.notes + notes)


def _sizes(
    axes: str, scale: list[float], entries: Sequence[Any]
) -> tuple[dict[str, Quantity], tuple[str, ...]]:
    stated: dict[str, Quantity] = {}
    notes: tuple[str, ...] = ()
    unknown = []
    if not scale:
        return stated, notes
    for axis, factor, entry in zip(axes, scale, entries, strict=True):
        unit = entry.get("unit", "") if isinstance(entry, Mapping) else ""
        if axis == "C" or (not unit and factor == 1):
            continue
        size, said = usable_size(f"scale of {axis}", factor, _FLIPPED)
        notes += said
        if size is None:
            continue
        spelled = unit or (NO_UNIT if axis != "T" else "")
        symbol = unit_symbol(spelled, "time" if axis == "T" else "length")
        if symbol:
            stated[axis] = Quantity(size, symbol)
        else:
            unknown.append(f"{axis} ({size} {unit or 'without a unit'})")
    if unknown:
        notes += (f"Sizes of unknown unit are lost: {', '.join(unknown)}.",)
    return stated, notes


def _transformation(
    multiscale: Mapping[str, Any], count: int
) -> tuple[list[float], list[float], tuple[str, ...]]:
    """Return scale and translation of the full level, and notes.

    The transformations of the level come first, then those of all levels. The scale is
    empty if there is none, or one that cannot be used: the others would be wrong.
    """
    scales, origin = [1.0] * count, [0.0] * count
    kinds, notes = set(), []
    for owner in (multiscale["datasets"][0], multiscale):
        for each in owner.get(_STEPS, ()):
            kind = str(each.get("type"))
            kinds.add(kind)
            if kind not in ("scale", "translation"):
                continue
            stated = each.get(kind)
            values = list(map(as_number, stated)) if isinstance(stated, list) else []
            if len(values) != count or not all(map(math.isfinite, values)):
                kinds.add(f"no {kind}")
                notes.append(
                    f"The file states a {kind} of {stated} for {count} axes; it is not "
                    "used."
                )
            elif kind == "scale":
                scales = [a * b for a, b in zip(scales, values, strict=True)]
                origin = [a * b for a, b in zip(origin, values, strict=True)]
            else:
                origin = [a + b for a, b in zip(origin, values, strict=True)]
    notes += [
        f"The file states a transformation of type {kind!r}; it is not used."
        for kind in sorted(kinds - {"scale", "translation", "identity"})
        if not kind.startswith("no ")
    ]
    units = [each for each in multiscale["axes"] if "unit" in each]
    if "scale" not in kinds and units:
        notes.append("The file states no scale: its pixel sizes are not known.")
    known = "scale" in kinds and "no scale" not in kinds
    return scales if known else [], origin, tuple(notes)


def _with_omero(record: ImageRecord, omero: Mapping[str, Any]) -> ImageRecord:
    channels = omero.get("channels", [])
    names = [str(each.get("label", "")) for each in channels]
    colours = [_colour(each.get("color")) for each in channels]
    ranges = [_window(each.get("window", {})) for each in channels]
    return replace(
        record,
        channel_names=tuple(names) if any(names) else (),
        channel_colours=tuple(colours) if any(colours) else (),
        display_ranges=tuple(ranges) if any(ranges) else (),
    )


def _colour(stated: object) -> str:
    """Return a colour as #rrggbb or #rrggbbaa; nothing for other spellings."""
    found = _HEX.fullmatch(str(stated))
    return f"#{found[1].lower()}" if found else ""


def _window(window: Mapping[str, Any]) -> tuple[float, float] | None:
    if not {"start", "end"} <= set(window):
        return None
    ends = as_number(window["start"]), as_number(window["end"])
    return ends if all(map(math.isfinite, ends)) else None


def _rest(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes without the metadata in fields of a record."""
    rest = copy.deepcopy(dict(attributes))
    rest.pop(PROVENANCE_KEY, None)
    metadata = rest.get("ome", rest)
    metadata.pop("version", None)
    multiscale = metadata.pop("multiscales")[0]
    others = {k: v for k, v in multiscale.items() if k not in _MULTISCALE_KEYS}
    if others:
        metadata["multiscales"] = [others]
    for channel in metadata.get("omero", {}).get("channels", ()):
        for name in ("label", "color"):
            channel.pop(name, None)
        window = channel.get("window", {})
        for end in ("start", "end"):
            window.pop(end, None)
    return _pruned(rest)


def _without_filled(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes without what was made up for viewers, unless changed."""
    own = copy.deepcopy(dict(attributes))
    omero, made = ngff_metadata(own).get("omero", {}), own.get(PROVENANCE_KEY, {})
    if "rdefs" in omero and omero["rdefs"] == made.get("rdefs"):
        del omero["rdefs"]
    channels, filled = omero.get("channels", ()), made.get(FILLED_KEY, ())
    for channel, added in zip(channels, filled, strict=False):
        for owner, values in (
            (channel, {k: v for k, v in added.items() if k != "window"}),
            (channel.get("window", {}), added.get("window", {})),
        ):
            for key, value in values.items():
                if owner.get(key) == value:
                    del owner[key]
    return own


def _pruned(rest: dict[str, Any]) -> dict[str, Any]:
    """Remove empty channels, and empty objects that contained them."""
    metadata = rest.get("ome", rest)
    omero = metadata.get("omero", {})
    for channel in omero.get("channels", ()):
        if not channel.get("window", True):
            del channel["window"]
    if not any(omero.get("channels", ())):
        omero.pop("channels", None)
    if not omero:
        metadata.pop("omero", None)
    return {key: value for key, value in rest.items() if value or key != "ome"}
