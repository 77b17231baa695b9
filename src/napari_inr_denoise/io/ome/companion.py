"""Companion files: OME-XML in `*.companion.ome`, in the folder of its TIFF files."""

from __future__ import annotations

from pathlib import Path

from napari_inr_denoise.io.untrusted.xml import parse_xml, referenced_files

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


def first_tiff(path: Path, xml: str) -> Path:
    """Return the first existing TIFF file of a set.

    Parameters
    ----------
    path : Path
        The companion file.
    xml : str
        Its OME-XML, which names files in the same folder.

    Raises
    ------
    ValueError
        If none of them exists.
    """
    names = sorted(referenced_files(parse_xml(xml)))
    for name in names:
        if (path.parent / name).is_file():
            return path.parent / name
    listed = ", ".join(names[:3]) or "none"
    raise ValueError(
        f"found none of the TIFF files that it names ({listed}), wanted them in the "
        "same folder; copy them there"
    )
