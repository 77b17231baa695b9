"""File formats by their suffixes; a Zarr is a folder."""

from __future__ import annotations

from pathlib import Path

TIFF_SUFFIXES = (
    *(".tif", ".tiff", ".btf", ".tf2", ".tf8"),
    *(".lsm", ".stk", ".svs", ".scn"),
)
PNG_SUFFIXES = (".png",)
ZARR_SUFFIXES = (".zarr",)
COMPANION_SUFFIXES = (".companion.ome",)
VENDOR_SUFFIXES = (".czi", ".lif", ".nd2")
FILE_SUFFIXES = TIFF_SUFFIXES + COMPANION_SUFFIXES + PNG_SUFFIXES + VENDOR_SUFFIXES
READABLE_SUFFIXES = FILE_SUFFIXES + ZARR_SUFFIXES
_ZARR_FILES = ("zarr.json", ".zgroup", ".zarray", ".zattrs")


def has_suffix(path: Path, suffixes: tuple[str, ...]) -> bool:
    """Return whether a name ends in one of the suffixes, in any case."""
    return path.name.lower().endswith(suffixes)


def is_zarr(path: Path) -> bool:
    """Return whether a path is the folder of a Zarr, by its name or its files."""
    if not path.is_dir():
        return False
    named = has_suffix(path, ZARR_SUFFIXES)
    return named or any((path / name).is_file() for name in _ZARR_FILES)


def size_on_disk(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    if not path.is_dir():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
