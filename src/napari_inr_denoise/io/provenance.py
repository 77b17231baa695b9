"""Provenance: how an image was made, as stored in its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tifffile import TiffFile

from napari_inr_denoise.io.extras import PROVENANCE_KEY
from napari_inr_denoise.io.ome.reader import json_annotation
from napari_inr_denoise.io.untrusted.xml import parse_xml


def read_provenance(path: str | Path) -> dict[str, Any] | None:
    """Return the provenance that `write_image` stored in a file; None without it."""
    try:
        return (_of_zarr if Path(path).is_dir() else _of_tiff)(Path(path))
    except Exception:  # noqa: BLE001 - an unreadable file has no provenance
        return None


def _of_tiff(path: Path) -> dict[str, Any] | None:
    with TiffFile(path) as tiff:
        xml = tiff.ome_metadata
    return json_annotation(parse_xml(xml), PROVENANCE_KEY) if xml else None


def _of_zarr(path: Path) -> dict[str, Any] | None:
    from napari_inr_denoise.io.ome_zarr.attributes import read_attributes

    own = read_attributes(path).get(PROVENANCE_KEY, {})
    found: dict[str, Any] | None = own.get("provenance")
    return found
