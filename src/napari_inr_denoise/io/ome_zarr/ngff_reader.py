"""What the metadata of OME-Zarr, versions 0.4 and 0.5, say of an image."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from napari_inr_denoise.io.extras import PROVENANCE_KEY, with_extras
from napari_inr_denoise.io.ome_zarr.rgb_channels import channels_as_samples
from napari_inr_denoise.io.record import ImageRecord, Quantity
from napari_inr_denoise.io.units import unit_symbol

_OF_ONE_PYRAMID = (
    *("axes", "datasets", "coordinateTransformations", "version", "type", "metadata"),
)
NO_UNIT = "reference frame"
"""Where a size has no unit."""
NEWEST = "0.5"


def ngff_metadata(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return where multiscales and omero are: under "ome" from version 0.5 on."""
    inner = attributes.get("ome", attributes)
    if not isinstance(inner, Mapping):
        raise ValueError('got "ome" attributes that are no JSON object')
    return inner


def with_ngff_metadata(
    record: ImageRecord, attributes: Mapping[str, Any]
) -> ImageRecord:
    """Return a record with what the attributes of a multiscale group say.

    Parameters
    ----------
    record : ImageRecord
        Its values and axes as they stand in the file. Channels that were samples
        become samples again; else both are taken as they are.
    attributes : mapping
        Of the group.
    """
    inner = ngff_metadata(attributes)
    pyramid = inner["multiscales"][0]
    newer = "ome" in attributes
    version = inner.get("version") if newer else pyramid.get("version", "0.4")
    stated, notes = _sizes(record.axes, pyramid)
    origin = _transformation(pyramid, "translation", len(record.axes), 0.0)
    known = replace(
        record.with_stated(stated),
        origin={a: v for a, v in zip(record.axes, origin, strict=True) if v},
        attributes=_rest(attributes),
        ngff_version=str(version or NEWEST),
        notes=record.notes + notes,
    )
    known = _with_omero(known, inner.get("omero", {}))
    own = attributes.get(PROVENANCE_KEY, {})
    known = _with_own(known, own.get("record", {}))
    return channels_as_samples(known, own.get("samples", {}))


def _with_own(record: ImageRecord, own: Mapping[str, Any]) -> ImageRecord:
    """Add what has no place in OME-Zarr, its OME-XML checked before it is used."""
    record = with_extras(record, own)
    if not record.ome_xml:
        return record
    from napari_inr_denoise.io.ome.remainder import remainder_of

    rest, notes = remainder_of(record.ome_xml)
    return replace(record, ome_xml=rest, notes=record.notes + notes)


def _sizes(
    axes: str, pyramid: Mapping[str, Any]
) -> tuple[dict[str, Quantity], tuple[str, ...]]:
    scale = _transformation(pyramid, "scale", len(axes), 1.0)
    stated: dict[str, Quantity] = {}
    unknown = []
    for axis, size, entry in zip(axes, scale, pyramid["axes"], strict=True):
        unit = entry.get("unit", "") if isinstance(entry, Mapping) else ""
        if axis not in "TZYX" or not 0 < size < math.inf or (not unit and size == 1):
            continue
        spelled = unit or (NO_UNIT if axis != "T" else "")
        symbol = unit_symbol(spelled, "time" if axis == "T" else "length")
        if symbol:
            stated[axis] = Quantity(size, symbol)
        else:
            unknown.append(f"{axis} ({size} {unit or 'without a unit'})")
    notes = (f"Sizes of unknown unit are lost: {', '.join(unknown)}.",)
    return stated, notes if unknown else ()


def _transformation(
    pyramid: Mapping[str, Any], kind: str, count: int, neutral: float
) -> list[float]:
    """Return the scale or translation of the full level, with that of all levels."""
    values = [neutral] * count
    for owner in (pyramid["datasets"][0], pyramid):
        for each in owner.get("coordinateTransformations", ()):
            if each.get("type") == kind and len(each[kind]) == count:
                pairs = zip(values, map(float, each[kind]), strict=True)
                values = [a * b if neutral else a + b for a, b in pairs]
    return values


def _with_omero(record: ImageRecord, omero: Mapping[str, Any]) -> ImageRecord:
    channels = omero.get("channels", [])
    names = [str(each.get("label", "")) for each in channels]
    colours = [
        f"#{each['color']}".lower() if each.get("color") else "" for each in channels
    ]
    ranges = [_window(each.get("window", {})) for each in channels]
    return replace(
        record,
        channel_names=tuple(names) if any(names) else (),
        channel_colours=tuple(colours) if any(colours) else (),
        display_ranges=tuple(ranges) if any(ranges) else (),
    )


def _window(window: Mapping[str, Any]) -> tuple[float, float] | None:
    if not {"start", "end"} <= set(window):
        return None
    ends = float(window["start"]), float(window["end"])
    return ends if all(map(math.isfinite, ends)) else None


def _rest(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes less what a record has of its own."""
    rest = copy.deepcopy(dict(attributes))
    rest.pop(PROVENANCE_KEY, None)
    inner = rest.get("ome", rest)
    inner.pop("version", None)
    pyramid = inner.pop("multiscales")[0]
    kept = {k: v for k, v in pyramid.items() if k not in _OF_ONE_PYRAMID}
    if kept:
        inner["multiscales"] = [kept]
    for channel in inner.get("omero", {}).get("channels", ()):
        for name in ("label", "color"):
            channel.pop(name, None)
        window = channel.get("window", {})
        for end, limit in (("start", "min"), ("end", "max")):
            if window.pop(end, None) == window.get(limit):
                window.pop(limit, None)
    return _pruned(rest)


def _pruned(rest: dict[str, Any]) -> dict[str, Any]:
    """Leave out descriptions of channels, and of all, of which nothing is left."""
    inner = rest.get("ome", rest)
    omero = inner.get("omero", {})
    for channel in omero.get("channels", ()):
        if not channel.get("window", True):
            del channel["window"]
    if not any(omero.get("channels", ())):
        omero.pop("channels", None)
    if not omero:
        inner.pop("omero", None)
    return {key: value for key, value in rest.items() if value or key != "ome"}
