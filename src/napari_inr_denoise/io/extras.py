"""What a file format has no place for, kept in it as one JSON object."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from napari_inr_denoise.io.record import ImageRecord

EXTRAS_KEY = "napari-inr-denoise.record"
PROVENANCE_KEY = "napari-inr-denoise"


def to_json(value: Any) -> Any:  # noqa: ANN401 - whatever a file may say
    """Return a value as JSON gives it back: lists for tuples, text for bytes."""
    return json.loads(json.dumps(value, default=_text))


def _text(value: object) -> str | list[Any]:
    if isinstance(value, bytes):
        return b64encode(value).decode()
    return list(value) if isinstance(value, tuple | set | frozenset) else str(value)


def extras_of(record: ImageRecord, names: tuple[str, ...]) -> dict[str, Any]:
    """Return those of a record's fields that say something, as values for JSON."""
    found = {name: getattr(record, name) for name in names}
    return {name: to_json(value) for name, value in found.items() if value}


def with_extras(record: ImageRecord, kept: Mapping[str, Any]) -> ImageRecord:
    """Return a record with the fields that `extras_of` gave."""
    return replace(
        record,
        channel_names=tuple(map(str, kept.get("channel_names", record.channel_names))),
        channel_colours=tuple(
            map(str, kept.get("channel_colours", record.channel_colours))
        ),
        origin={k: float(v) for k, v in kept.get("origin", record.origin).items()},
        display_ranges=tuple(
            None if pair is None else (float(pair[0]), float(pair[1]))
            for pair in kept.get("display_ranges", record.display_ranges)
        ),
        luts=tuple(map(b64decode, kept["luts"])) if "luts" in kept else record.luts,
        attributes=dict(kept.get("attributes", record.attributes)),
        ome_xml=str(kept.get("ome_xml", record.ome_xml)),
        ngff_version=str(kept.get("ngff_version", record.ngff_version)),
    )
