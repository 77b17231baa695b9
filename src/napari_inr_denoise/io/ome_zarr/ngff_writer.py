"""Write the metadata of OME-Zarr, version 0.4 or 0.5."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from napari_inr_denoise.io.extras import PROVENANCE_KEY, extras_of
from napari_inr_denoise.io.ome_zarr.ngff_reader import NEWEST, NO_UNIT
from napari_inr_denoise.io.ome_zarr.rgb_channels import sample_extras
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.io.units import unit_name

_TYPES = {"T": "time", "C": "channel", "Z": "space", "Y": "space", "X": "space"}
_EXTRAS = ("luts", "ome_xml", "calibration")


def group_attributes(
    record: ImageRecord, written: ImageRecord, provenance: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the attributes of a multiscale group with one level, named "0".

    Parameters
    ----------
    record : ImageRecord
        The image.
    written : ImageRecord
        The image with axes and channels as written, from `samples_as_channels`.
    provenance : mapping or None
        How the image was made, as JSON values.
    """
    attributes = copy.deepcopy(dict(record.attributes))
    version = record.ngff_version or NEWEST
    zarr3 = uses_zarr3(version)
    metadata = attributes.setdefault("ome", {}) if zarr3 else attributes
    multiscale = metadata.get("multiscales", [{}])[0] | _multiscale(written)
    metadata["multiscales"] = [multiscale]
    (metadata if zarr3 else multiscale)["version"] = version
    _set_omero(metadata, written)
    own: dict[str, Any] = {"record": extras_of(record, _EXTRAS)}
    samples = sample_extras(record)
    if samples:
        own["samples"] = samples
    if provenance is not None:
        own["provenance"] = dict(provenance)
    attributes[PROVENANCE_KEY] = own
    return attributes


def uses_zarr3(version: str) -> bool:
    """Return whether a version of OME-Zarr uses Zarr 3 and the attribute "ome"."""
    return version not in ("0.1", "0.2", "0.3", "0.4")


def _multiscale(record: ImageRecord) -> dict[str, Any]:
    axes = record.axes
    sizes = [record.stated[a].value if a in record.stated else 1.0 for a in axes]
    scale = [-s if a in record.flipped else s for a, s in zip(axes, sizes, strict=True)]
    steps: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    if record.origin:
        origin = [float(record.origin.get(a, 0.0)) for a in axes]
        steps.append({"type": "translation", "translation": origin})
    return {
        "axes": [_axis(record, axis) for axis in axes],
        "datasets": [{"path": "0", "coordinateTransformations": steps}],
    }


def _axis(record: ImageRecord, axis: str) -> dict[str, str]:
    entry = {"name": axis.lower(), "type": _TYPES[axis]}
    unit = record.stated[axis].unit if axis in record.stated else NO_UNIT
    if unit != NO_UNIT:
        entry["unit"] = unit_name(unit, "time" if axis == "T" else "length")
    return entry


def _set_omero(metadata: dict[str, Any], record: ImageRecord) -> None:
    """Set names, colours and display ranges of the channels."""
    fields = (record.channel_names, record.channel_colours, record.display_ranges)
    if not any(fields):
        return
    count = record.size_of("C")
    omero = metadata.setdefault("omero", {})
    before = omero.get("channels", [])
    channels = before if len(before) == count else [{} for _ in range(count)]
    nothing = (None,) * count
    names = record.channel_names or nothing
    colours = record.channel_colours or nothing
    ranges = record.display_ranges or nothing
    for k, channel in enumerate(channels):
        _set_channel(channel, names[k], colours[k], ranges[k])
    omero["channels"] = channels


def _set_channel(
    channel: dict[str, Any],
    name: str | None,
    colour: str | None,
    ends: tuple[float, float] | None,
) -> None:
    if name:
        channel["label"] = name
    if colour:
        channel["color"] = colour[1:7].upper()
    if ends:
        window = {"min": ends[0], "max": ends[1]} | channel.get("window", {})
        channel["window"] = window | {"start": ends[0], "end": ends[1]}
