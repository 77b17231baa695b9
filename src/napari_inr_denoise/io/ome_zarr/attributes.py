"""Attributes of a Zarr group or array, of Zarr format 2 or 3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_MAX_BYTES = 2**26
_NGFF_KEYS = ("ome", "multiscales", "omero", "plate", "well")
"""Attributes of OME-Zarr, where null stands for what is not known."""


def read_attributes(folder: Path) -> dict[str, Any]:
    """Return the attributes of a group or array; empty without any.

    Those of OME-Zarr come without what is null.

    Raises
    ------
    ValueError
        If they are damaged or larger than 64 MB.
    """
    newer = folder / "zarr.json"
    found = _read_json(newer if newer.is_file() else folder / ".zattrs")
    attributes = found.get("attributes", {}) if newer.is_file() else found
    if not isinstance(attributes, dict):
        raise ValueError("got attributes of a Zarr that are not a JSON object")
    return {
        key: _without_nulls(value) if key in _NGFF_KEYS else value
        for key, value in attributes.items()
        if key not in _NGFF_KEYS or value is not None
    }


def _without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return list(map(_without_nulls, value)) if isinstance(value, list) else value


def is_array(folder: Path) -> bool:
    """Return whether a folder is an array of a Zarr, not a group or another folder."""
    newer = folder / "zarr.json"
    if newer.is_file():
        return _read_json(newer).get("node_type") == "array"
    return (folder / ".zarray").is_file()


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"got {path.name} of more than {_MAX_BYTES} bytes")
    loaded = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(loaded, dict):
        raise ValueError(f"got {path.name} that is not a JSON object")
    return loaded
