"""Dimensions that ImageJ's description states, against the planes of the file."""

from __future__ import annotations

from typing import Any

from tifffile import TiffFile
from tifffile.tifffile import imagej_description_metadata

_DIMENSIONS = ("channels", "slices", "frames")


def correct_dimensions(tiff: TiffFile) -> None:
    """Let a file be read as a stack if its dimensions are not those of its planes.

    ImageJ uses channels, slices and frames only if their product is the number of
    planes; otherwise the planes are slices. tifffile would leave planes out.
    """
    metadata = tiff.imagej_metadata
    planes = _planes(tiff, metadata or {})
    if metadata is None or not _differ(tiff, metadata, planes):
        return
    changed: dict[str, Any] = {**metadata, "channels": 1, "frames": 1}
    # A cached property of tifffile, from which it makes its series.
    tiff.imagej_metadata = {**changed, "images": planes, "slices": planes}


def dimensions_note(tiff: TiffFile) -> tuple[str, ...]:
    """Return a note if the dimensions of a file were not used."""
    stated = imagej_description_metadata(tiff.pages.first.imagej_description or "")
    planes = _planes(tiff, stated)
    if not _differ(tiff, stated, planes):
        return ()
    sizes = " x ".join(
        f"{stated[name]} {name}" for name in _DIMENSIONS if name in stated
    )
    note = (
        f"The file states {sizes} and holds {planes} planes; they were taken for "
        f"{planes} slices, as ImageJ does. If they are frames or channels, name the "
        "axes: --axes TYX or --axes CYX."
    )
    return (note,)


def _planes(tiff: TiffFile, metadata: dict[str, Any]) -> int:
    """Return the number of planes that a file states and holds; 0 if they differ."""
    images = _count(metadata, "images")
    if images > 1:
        page = tiff.pages.first
        stored = (tiff.filehandle.size - page.dataoffsets[0]) // max(page.nbytes, 1)
        contiguous = page.is_contiguous and stored >= images
        return images if contiguous or len(tiff.pages) == images else 0
    return len(tiff.pages)


def _differ(tiff: TiffFile, metadata: dict[str, Any], planes: int) -> bool:
    """Return whether dimensions are stated whose product is not that of the planes."""
    channels, slices, frames = (_count(metadata, name) for name in _DIMENSIONS)
    readable = all(isinstance(metadata.get(n, 1), int) for n in _DIMENSIONS)
    if planes < 2 or (readable and channels * slices * frames in (1, planes)):
        return False
    # Samples of a pixel may be stated as channels.
    samples = tiff.pages.first.samplesperpixel
    return not (channels == samples > 1 and slices * frames == planes)


def _count(metadata: dict[str, Any], name: str) -> int:
    """Return a stated number; 1 without it, and for what is no number."""
    value = metadata.get(name, 1)
    return value if isinstance(value, int) and value > 0 else 1
