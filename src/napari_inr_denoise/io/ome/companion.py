"""Companion files: OME-XML in `*.companion.ome`, in the folder of its TIFF files."""

from __future__ import annotations

from pathlib import Path

_MAX_BYTES = 2**26


def read_companion(path: Path) -> str:
    """Return the OME-XML of a companion file.

    Raises
    ------
    ValueError
        If the file is larger than 64 MB or is not UTF-8 text.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"got OME-XML of more than {_MAX_BYTES} bytes")
    return path.read_text(encoding="utf-8-sig")
