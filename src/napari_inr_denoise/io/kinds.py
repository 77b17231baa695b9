"""Kinds of image files, told by their names; a Zarr is a folder."""

from __future__ import annotations

from pathlib import Path

TIFF_SUFFIXES = (".tif", ".tiff", ".btf")
PNG_SUFFIXES = (".png",)
ZARR_SUFFIXES = (".zarr",)
FILE_SUFFIXES = TIFF_SUFFIXES + PNG_SUFFIXES
READABLE_SUFFIXES = FILE_SUFFIXES + ZARR_SUFFIXES
_ZARR_FILES = ("zarr.json", ".zgroup", ".zarray", ".zattrs")


def is_zarr(path: Path) -> bool:
    """Return whether a path is a folder that is one Zarr, by its name or its files."""
    if not path.is_dir():
        return False
    named = path.suffix.lower() in ZARR_SUFFIXES
    return named or any((path / name).is_file() for name in _ZARR_FILES)
