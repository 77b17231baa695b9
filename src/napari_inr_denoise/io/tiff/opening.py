"""Open a TIFF file that nobody vouches for."""

from __future__ import annotations

import logging
from pathlib import Path

from tifffile import TiffFile

from napari_inr_denoise.io.formats import COMPANION_SUFFIXES, has_suffix
from napari_inr_denoise.io.ome.companion import first_tiff, read_companion
from napari_inr_denoise.io.untrusted.size_limits import check_count
from napari_inr_denoise.io.untrusted.xml import (
    declared_planes,
    parse_xml,
    referenced_files,
)

# What tifffile logs of damaged tags, hundreds of lines for some files, is for those
# who ask for it; the errors and notes of this package are sentences of their own.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


def open_tiff(path: Path) -> TiffFile:
    """Open a file after a look at what it would lead to.

    Parameters
    ----------
    path : Path
        The file; or the OME-XML that describes a set, of which the first is opened.

    Raises
    ------
    ValueError
        If its metadata name files outside its folder, or announce an absurd number
        of planes; or if none of a set is there.
    """
    if has_suffix(path, COMPANION_SUFFIXES):
        xml = read_companion(path)
        _check_ome(path, xml)
        return _opened(first_tiff(path, xml), xml)
    tiff = _opened(path)
    try:
        if _has_pages(tiff) and tiff.is_ome:
            _check_ome(path, tiff.ome_metadata or "")
    except Exception:
        tiff.close()
        raise
    return tiff


def _opened(path: Path, xml: str | None = None) -> TiffFile:
    # Two kinds are found through an index of other files; their pages and OME-XML can
    # be read without.
    return TiffFile(path, omexml=xml, is_ndtiff=False, is_mmstack=False)


def _has_pages(tiff: TiffFile) -> bool:
    """Return whether there is a first page, without a walk to the last one."""
    try:
        return tiff.pages.first is not None
    except IndexError:
        return False


def _check_ome(path: Path, xml: str) -> None:
    """Look at OME-XML before tifffile follows it."""
    root = parse_xml(xml)
    check_count(declared_planes(root), "planes announced by the OME-XML")
    for name in referenced_files(root):
        if not is_in_same_folder(path, name):
            raise ValueError(
                f"the OME-XML names a file outside the folder, {name!r}, which is not "
                "followed"
            )


def is_in_same_folder(path: Path, name: str) -> bool:
    """Return whether a name is that of a file in the folder of another, or of none."""
    if not name or Path(name).name != name or "\\" in name or ":" in name:
        return False
    target = path.parent / name
    homes = {path.parent.resolve(), path.resolve().parent}
    return target.resolve().parent in homes and (
        target.is_file() or not target.exists()
    )
