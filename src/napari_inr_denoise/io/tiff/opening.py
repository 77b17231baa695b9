"""Open TIFF files of unknown origin."""

from __future__ import annotations

import logging
from pathlib import Path

from tifffile import TiffFile

from napari_inr_denoise.io.formats import COMPANION_SUFFIXES, has_suffix
from napari_inr_denoise.io.ome.companion import first_tiff, read_companion
from napari_inr_denoise.io.tiff.imagej_dimensions import correct_dimensions
from napari_inr_denoise.io.tiff.ndtiff import ndtiff_files
from napari_inr_denoise.io.untrusted.size_limits import check_count
from napari_inr_denoise.io.untrusted.xml import (
    declared_planes,
    descendants,
    parse_xml,
    referenced_files,
)

# tifffile logs hundreds of lines for some damaged files; they appear only if logging is
# configured. This package reports damage by its own errors and notes.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def open_tiff(path: Path) -> TiffFile:
    """Open a TIFF file after a check of its OME-XML.

    Parameters
    ----------
    path : Path
        The file, or the companion OME-XML of a set, whose first TIFF file is opened.

    Raises
    ------
    ValueError
        If the metadata name files outside the folder, or declare too many planes, or
        if no TIFF file of a set exists.
    """
    if has_suffix(path, COMPANION_SUFFIXES):
        xml = read_companion(path)
        _check_ome(path, xml)
        return _open(first_tiff(path, xml), xml)
    tiff = _open(path)
    try:
        if _has_pages(tiff) and tiff.is_ome:
            _check_ome(path, tiff.ome_metadata or "")
        elif _has_pages(tiff) and tiff.is_scn:
            _check_scn(tiff.pages.first.description)
        elif _has_pages(tiff) and tiff.is_imagej:
            correct_dimensions(tiff)
    except Exception:
        tiff.close()
        raise
    return tiff


def _open(path: Path, xml: str | None = None) -> TiffFile:
    # The index of Micro-Manager's files is not needed to read their pages and OME-XML.
    indexed = None if xml is None and _is_indexed(path) else False
    return TiffFile(path, omexml=xml, is_ndtiff=indexed, is_mmstack=False)


def _is_indexed(path: Path) -> bool:
    """Return whether a file is in a dataset of NDTiff, after a check of its index."""
    for name in (names := ndtiff_files(path)):
        if not is_in_same_folder(path, name):
            raise ValueError(
                f"the index names a file outside the folder, {name!r}, which is not "
                "read"
            )
    return bool(names)


def _has_pages(tiff: TiffFile) -> bool:
    """Return whether there is a first page, without reading all pages."""
    try:
        return tiff.pages.first is not None
    except IndexError:
        return False


def _check_ome(path: Path, xml: str) -> None:
    """Check OME-XML before tifffile follows it."""
    root = parse_xml(xml)
    check_count(declared_planes(root), "planes declared by the OME-XML")
    for name in referenced_files(root):
        if not is_in_same_folder(path, name):
            raise ValueError(
                f"the OME-XML names a file outside the folder, {name!r}, which is not "
                "read"
            )


def _check_scn(xml: str) -> None:
    """Check the XML of a Leica slide scanner before tifffile follows it."""
    for each in descendants(parse_xml(xml), "dimension"):
        channels, planes = (int(each.attrib.get(name, 0)) + 1 for name in "cz")
        check_count(channels * planes, "planes declared by the XML")


def is_in_same_folder(path: Path, name: str) -> bool:
    """Return whether a name, of a file or of none, stays in the folder of a path."""
    if not name or Path(name).name != name or "\\" in name or ":" in name:
        return False
    target = path.parent / name
    homes = {path.parent.resolve(), path.resolve().parent}
    return target.resolve().parent in homes and (
        target.is_file() or not target.exists()
    )
