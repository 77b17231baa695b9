"""OME-XML in a file of its own, `*.companion.ome`, beside the TIFFs it describes."""

from __future__ import annotations

from pathlib import Path

from napari_inr_denoise.io.untrusted.xml import parse_xml, referenced_files

_MOST_BYTES = 2**26


def read_companion(path: Path) -> str:
    """Return the OME-XML.

    Raises
    ------
    ValueError
        If it is larger than 64 MB, or no text.
    """
    if path.stat().st_size > _MOST_BYTES:
        raise ValueError(f"got OME-XML of more than {_MOST_BYTES} bytes")
    return path.read_text(encoding="utf-8-sig")


def first_tiff(path: Path, xml: str) -> Path:
    """Return the first of the TIFF files that are described, and there.

    Parameters
    ----------
    path : Path
        Of the OME-XML.
    xml : str
        It names files in the same folder.

    Raises
    ------
    ValueError
        If none is there.
    """
    names = sorted(referenced_files(parse_xml(xml)))
    for name in names:
        if (path.parent / name).is_file():
            return path.parent / name
    told = ", ".join(names[:3]) or "none"
    raise ValueError(
        f"found none of the TIFF files that it names ({told}), wanted them beside it; "
        "copy them into the same folder"
    )
