"""Attributes of a Zarr group or array, of Zarr format 2 or 3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_MAX_BYTES = 2**26


def read_attributes(folder: Path) -> dict[str, Any]:
    """Return the attributes of a group or array; empty without any.

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
    return attributes


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
