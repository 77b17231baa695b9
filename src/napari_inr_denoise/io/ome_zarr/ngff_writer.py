"""Write the metadata of OME-Zarr, version 0.4 or 0.5."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_inr_denoise.io.extras import PROVENANCE_KEY, extras_of
from napari_inr_denoise.io.ome_zarr.levels import Level
from napari_inr_denoise.io.ome_zarr.ngff_reader import FILLED_KEY, NEWEST, NO_UNIT
from napari_inr_denoise.io.ome_zarr.rgb_channels import sample_extras
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.io.units import unit_name

_OLDEST = "0.4"
_TYPES = {"T": "time", "C": "channel", "Z": "space", "Y": "space", "X": "space"}
_EXTRAS = ("luts", "ome_xml", "calibration")
_GREY = ("FFFFFF",)
_COLOURS = ("00FFFF", "FFFF00", "FF00FF", "FF0000", "00FF00", "0000FF")
"""Colours of channels for which no colour is known."""
Range = tuple[float, float] | None
"""Lowest and highest value; None if there are none."""


def group_attributes(
    record: ImageRecord,
    written: ImageRecord,
    provenance: Mapping[str, Any] | None,
    levels: Sequence[Level],
    ranges: Sequence[Sequence[Range]],
    name: str,
) -> dict[str, Any]:
    """Return the attributes of a multiscale group.

    Parameters
    ----------
    record : ImageRecord
        The image.
    written : ImageRecord
        The image with axes and channels as written, from `samples_as_channels`.
    provenance : mapping or None
        How the image was made, as JSON values.
    levels : sequence of Level
        From the finest to the coarsest.
    ranges : sequence of sequence of (float, float) or None
        Range of the values of each level, by channel.
    name : str
        Label of an only channel without a name.
    """
    attributes = copy.deepcopy(dict(record.attributes))
    zarr3 = uses_zarr3(record.ngff_version or NEWEST)
    version = NEWEST if zarr3 else _OLDEST  # the layouts that are written
    metadata = attributes.setdefault("ome", {}) if zarr3 else attributes
    multiscale = metadata.get("multiscales", [{}])[0] | _multiscale(written, levels)
    metadata["multiscales"] = [multiscale]
    (metadata if zarr3 else multiscale)["version"] = version
    if "S" in record.axes:  # one range for all colours, which would change otherwise
        ranges = [[_union(level)] * len(level) for level in ranges]
    filled = _set_omero(metadata, written, ranges, name)
    own: dict[str, Any] = {"record": extras_of(record, _EXTRAS), FILLED_KEY: filled}
    if "rdefs" not in metadata["omero"]:  # some viewers fail without it
        middle = written.size_of("Z") // 2
        rendering = {"defaultT": 0, "defaultZ": middle, "model": "color"}
        own["rdefs"] = metadata["omero"]["rdefs"] = rendering
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


def _multiscale(record: ImageRecord, levels: Sequence[Level]) -> dict[str, Any]:
    multiscale: dict[str, Any] = {
        "axes": [_axis(record, axis) for axis in record.axes],
        "datasets": [
            {
                "path": level.path,
                "coordinateTransformations": _transformations(
                    record, level, placed=bool(record.origin) or len(levels) > 1
                ),
            }
            for level in levels
        ],
    }
    return multiscale | ({"type": "mean"} if len(levels) > 1 else {})


def _transformations(
    record: ImageRecord, level: Level, *, placed: bool
) -> list[dict[str, Any]]:
    """Return the pixel size of a level, and where the centre of its first pixel is."""
    scale, origin = [], []
    for axis in record.axes:
        size = record.stated[axis].value if axis in record.stated else 1.0
        size = -size if axis in record.flipped else size
        factor = level.factors.get(axis, 1)
        scale.append(size * factor)
        shift = size * (factor - 1) / 2
        origin.append(float(record.origin.get(axis, 0.0)) + shift)
    steps: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
    return steps + [{"type": "translation", "translation": origin}] * placed


def _axis(record: ImageRecord, axis: str) -> dict[str, str]:
    entry = {"name": axis.lower(), "type": _TYPES[axis]}
    unit = record.stated[axis].unit if axis in record.stated else NO_UNIT
    if unit != NO_UNIT:
        entry["unit"] = unit_name(unit, "time" if axis == "T" else "length")
    return entry


def _set_omero(
    metadata: dict[str, Any],
    record: ImageRecord,
    ranges: Sequence[Sequence[Range]],
    name: str,
) -> list[dict[str, Any]]:
    """Set names, colours and display ranges of the channels.

    Viewers need all of them. What the record lacks is filled in, and returned for each
    channel, so that a reader can tell it from what is known.
    """
    count = record.size_of("C")
    omero = metadata.setdefault("omero", {})
    before = omero.get("channels", [])
    channels = before if len(before) == count else [{} for _ in range(count)]
    nothing = (None,) * count
    names = record.channel_names or nothing
    colours = record.channel_colours or nothing
    shown = record.display_ranges or nothing
    filled = []
    for k, channel in enumerate(channels):
        _set_channel(channel, names[k], colours[k], shown[k])
        palette = _GREY if count == 1 else _COLOURS
        guesses = {
            "label": name if count == 1 else f"channel {k}",
            "color": palette[k % len(palette)],
            "active": True,
        }
        window = _window(
            channel.get("window", {}), ranges[0][k], ranges[-1][k], record.data.dtype
        )
        added = {key: v for key, v in guesses.items() if key not in channel}
        channel.update(added, window=window | channel.get("window", {}))
        filled.append(added | {"window": window})
    omero["channels"] = channels
    return filled


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
        own = {"start": ends[0], "end": ends[1]}
        channel["window"] = channel.get("window", {}) | own


def _union(ranges: Sequence[Range]) -> Range:
    ends = [one for one in ranges if one is not None]
    return (min(a for a, _ in ends), max(b for _, b in ends)) if ends else None


def _window(
    known: Mapping[str, Any], full: Range, shown: Range, dtype: np.dtype[Any]
) -> dict[str, float]:
    """Return the ends that a window lacks.

    Parameters
    ----------
    known : mapping
        Those that it has.
    full, shown : (float, float) or None
        Range of all values, and of those of the coarsest level: the range displayed.
    dtype : dtype
        Its range is the limit for small integers.
    """
    start, end = shown or full or (0.0, 1.0)
    start, end = known.get("start", start), known.get("end", end)
    end = end if end > start or "end" in known else start + 1.0
    low, high = full or (start, end)
    if dtype.kind in "iu" and dtype.itemsize <= 2:
        low, high = float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    ends = {
        "min": min(low, start),
        "max": max(high, end),
        "start": start,
        "end": end,
    }
    return {key: value for key, value in ends.items() if key not in known}
