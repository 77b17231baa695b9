"""Companion files: OME-XML in `*.companion.ome`, in the folder of its TIFF files."""

from __future__ import annotations

from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from pathlib import Path

_MAX_BYTES = 2**26


def read_companion(path: Path) -> str:
    """Return the OME-XML of a companion file.

    Raises
    ------
    ValueError
        If the file is larger than 64 MB.
    """
    if path.stat().st_size > _MAX_BYTES:
        raise ValueError(f"got OME-XML of more than {_MAX_BYTES} bytes")
    content = path.read_bytes()
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:  # some programs write \u00b5m in the encoding of Windows
        return content.decode("cp1252", "replace")
