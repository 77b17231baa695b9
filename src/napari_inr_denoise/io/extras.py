"""Fields of a record that a file format cannot express, stored as one JSON object."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from napari_inr_denoise.io.record import Calibration, ImageRecord

EXTRAS_KEY = "napari-inr-denoise.record"
PROVENANCE_KEY = "napari-inr-denoise"


def to_json(value: Any) -> Any:  # noqa: ANN401 - whatever a file may say
    """Return a value as it is after a round trip through JSON.

    Tuples, sets and arrays become lists, bytes become base64 text, other objects text;
    so do numbers that are not finite: JSON has none, and viewers refuse files with one.
    """
    return json.loads(json.dumps(value, default=_json_default), parse_constant=str)


def _json_default(value: object) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return list(value) if isinstance(value, tuple | set | frozenset) else str(value)


def extras_of(record: ImageRecord, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the non-empty fields of a record, of those named, as JSON values."""
    fields = {name: getattr(record, name) for name in names}
    return {name: to_json(value) for name, value in fields.items() if value}


def with_extras(record: ImageRecord, extras: Mapping[str, Any]) -> ImageRecord:
    """Return a record with the fields that `extras_of` returned."""
    return replace(
        record,
        channel_names=tuple(
            map(str, extras.get("channel_names", record.channel_names))
        ),
        channel_colours=tuple(
            map(str, extras.get("channel_colours", record.channel_colours))
        ),
        origin={k: float(v) for k, v in extras.get("origin", record.origin).items()},
        flipped=str(extras.get("flipped", record.flipped)),
        calibration=_calibration(extras.get("calibration", record.calibration)),
        display_ranges=tuple(
            None if pair is None else (float(pair[0]), float(pair[1]))
            for pair in extras.get("display_ranges", record.display_ranges)
        ),
        luts=(
            tuple(map(b64decode, extras["luts"])) if "luts" in extras else record.luts
        ),
        attributes=dict(extras.get("attributes", record.attributes)),
        ome_xml=str(extras.get("ome_xml", record.ome_xml)),
        ngff_version=str(extras.get("ngff_version", record.ngff_version)),
    )


def _calibration(values: Sequence[Any] | None) -> Calibration | None:
    if values is None:
        return None
    offset, slope, dtype, unit = values
    return Calibration(float(offset), float(slope), str(np.dtype(dtype)), str(unit))
