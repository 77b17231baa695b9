"""File formats by their suffixes, and names of files; a Zarr is a folder."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from unicodedata import normalize

TIFF_SUFFIXES = (
    *(".tif", ".tiff", ".btf", ".tf2", ".tf8"),
    *(".lsm", ".stk", ".svs", ".scn", ".qptiff"),
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


def is_broken_link(path: Path) -> bool:
    """Return whether a path is a link to a file or folder that is not there."""
    return path.is_symlink() and not path.exists()


def size_on_disk(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 if it is gone."""
    if not path.is_dir():
        return path.stat().st_size if path.exists() else 0
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def same_name(first: str, second: str) -> bool:
    """Return whether two names differ at most in their Unicode form."""
    return normalize("NFC", first) == normalize("NFC", second)


def names_on_disk(names: AbstractSet[str], path: Path) -> dict[str, str]:
    """Return how a folder spells names, where it is in another Unicode form.

    A letter such as \u00e9 is one character, or two: macOS, programs and archives
    differ.

    Parameters
    ----------
    names : set of str
        Names of files.
    path : Path
        A file in the folder. Its own spelling wins.

    Returns
    -------
    dict of str to str
        Name in the folder by the given name; empty if all agree.
    """
    if all(map(str.isascii, names)):
        return {}
    there: set[str] = set()
    with suppress(OSError):
        there = {each.name for each in path.parent.iterdir()}
    if path.name not in there:
        there = {name for name in there if not same_name(name, path.name)} | {path.name}
    spelled = {normalize("NFC", name): name for name in there}
    forms = {name: normalize("NFC", name) for name in names - there}
    return {name: spelled[form] for name, form in forms.items() if form in spelled}
