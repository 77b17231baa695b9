"""The attributes of a Zarr group or array, of either format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_MOST_BYTES = 2**26


def read_attributes(folder: Path) -> dict[str, Any]:
    """Return the attributes; empty without any.

    Raises
    ------
    ValueError
        If they are damaged, or larger than 64 MB.
    """
    newer = folder / "zarr.json"
    found = _read_json(newer if newer.is_file() else folder / ".zattrs")
    attributes = found.get("attributes", {}) if newer.is_file() else found
    if not isinstance(attributes, dict):
        raise ValueError("got attributes of a Zarr that are no JSON object")
    return attributes


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"got {path.name} of more than {_MOST_BYTES} bytes")
    loaded = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(loaded, dict):
        raise ValueError(f"got {path.name} that is no JSON object")
    return loaded
