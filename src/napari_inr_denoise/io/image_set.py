"""Images in several files: OME-TIFF sets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_inr_denoise.io.formats import (
    COMPANION_SUFFIXES,
    TIFF_SUFFIXES,
    has_suffix,
)
from napari_inr_denoise.io.tiff.opening import is_in_same_folder, open_tiff
from napari_inr_denoise.io.untrusted.xml import children, parse_xml, referenced_files


def secondary_files(files: Iterable[Path]) -> dict[Path, Path]:
    """Return the files that only contain parts of an image named by another file.

    Parameters
    ----------
    files : iterable of Path
        Files to examine. Each set is opened once.

    Returns
    -------
    dict of Path to Path
        Secondary file to primary file; both are among `files`.
    """
    candidates = list(files)
    primary: dict[Path, Path] = {}
    for file in candidates:
        if file not in primary:
            first, *others = files_of_image(file)
            primary |= {first: first} | dict.fromkeys(others, first)
    known = set(candidates)
    pairs = ((file, primary[file]) for file in candidates)
    return {file: first for file, first in pairs if file != first and first in known}


def files_of_image(path: Path) -> tuple[Path, ...]:
    """Return the files of an image, the primary file first.

    The primary file is the one that describes the set if the others refer to it. If
    each file describes the whole set, it is the first by name.

    Parameters
    ----------
    path : Path
        One of the files.

    Returns
    -------
    tuple of Path
        The files that exist; only `path` if it is not part of a set or cannot be read.
    """
    described_in, names = _description(path)
    first = path.parent / described_in
    if first != path:
        described_in, names = _description(first)
        if described_in != first.name:
            return (path,)
    named = (path.parent / name for name in sorted(names))
    found = [file for file in named if file.is_file()]
    # A file that the description does not name is not part of the set.
    if path not in found or first not in found:
        return (path,)
    if first == path:
        earlier = found[: found.index(path)]
        first = next((one for one in earlier if _description(one)[1] == names), path)
    return (first, *(file for file in found if file != first))


def _description(path: Path) -> tuple[str, frozenset[str]]:
    """Return the name of the file with the description, and the names of the set."""
    alone = path.name, frozenset[str]()
    companion = has_suffix(path, COMPANION_SUFFIXES)
    if not companion and not has_suffix(path, TIFF_SUFFIXES):
        return alone
    try:
        with open_tiff(path) as tiff:
            if not tiff.is_ome:
                return alone
            root = parse_xml(tiff.ome_metadata or "")
    except Exception:  # noqa: BLE001 - reading the image reports the error
        return alone
    for elsewhere in children(root, "BinaryOnly"):
        name = elsewhere.attrib.get("MetadataFile", "")
        return (name if is_in_same_folder(path, name) else path.name), frozenset()
    itself = {path.name} if companion else set()
    return path.name, frozenset(referenced_files(root) | itself)
