"""NDTiff: datasets of Micro-Manager whose planes are listed in an index file.

A dataset is one or more TIFF files in a folder: a new file begins when one is full.
Stage positions and the tiles of a scan are images of their own.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tifffile import TIFF, TiffFile, TiffFrame, TiffPageSeries

from napari_inr_denoise.io.entries import ImageEntry
from napari_inr_denoise.io.formats import names_on_disk
from napari_inr_denoise.io.tiff.claims import Pages
from napari_inr_denoise.io.untrusted.size_limits import check_count

_INDEX = "NDTiff.index"
_MAX_BYTES = 2**28
_SIGNATURE = struct.pack("<I", 483729)
_SIGNATURE_AT = 8
_LAYOUT = struct.Struct("<IiiiiIii")
_DTYPES = {0: "uint8", 1: "uint16", 2: "uint8", 3: "uint16", 4: "uint16"}
_DTYPES |= {5: "uint16", 6: "uint16"}
"""Data type by the code of the pixel type: 8 bits, 16 bits, RGB, and 10 to 14 bits."""
_PLACES = ("position", "row", "column")
"""Axes along which the stage moves from one image to the next."""


class Plane(NamedTuple):
    """A plane in the index."""

    axes: dict[str, int | str]
    file: str
    offset: int
    shape: tuple[int, int]
    dtype: str
    compressed: bool


def ndtiff_planes(path: Path) -> list[Plane]:
    """Return the planes of the dataset that a file is in, after a check of its size.

    Parameters
    ----------
    path : Path
        A file of the dataset.

    Returns
    -------
    list of Plane
        Empty if the file is in no dataset.

    Raises
    ------
    ValueError
        If the index is damaged or declares too many planes.
    """
    index = path.parent / _INDEX
    if not index.is_file():
        return []
    if index.stat().st_size > _MAX_BYTES:
        raise ValueError(f"got {_INDEX} of more than {_MAX_BYTES} bytes")
    try:
        planes = list(_parsed(index.read_bytes()))
    except struct.error as error:
        raise ValueError(f"{_INDEX} is cut short. Copy it again.") from error
    spelled = names_on_disk({plane.file for plane in planes}, path)
    planes = [p._replace(file=spelled.get(p.file, p.file)) for p in planes]
    if path.name not in {plane.file for plane in planes}:
        return []
    if len({tuple(plane.axes) for plane in planes}) != 1:
        raise ValueError(f"got planes with different axes in {_INDEX}")
    extent = np.prod(np.ptp(_places(planes, tuple(planes[0].axes)), axis=0) + 1)
    check_count(int(extent), f"planes declared by {_INDEX}")
    return planes


def _parsed(content: bytes) -> Iterator[Plane]:
    at = 0

    def text() -> str:
        nonlocal at
        (length,) = struct.unpack_from("<I", content, at)
        at += 4 + length
        if at > len(content):
            raise struct.error("the text ends after the file")
        return content[at - length : at].decode("utf-8", errors="replace")

    while at < len(content):
        axes, file = json.loads(text()), text()
        stored = _LAYOUT.unpack_from(content, at)
        at += _LAYOUT.size
        offset, width, height, kind, compression, *_ = stored
        shape, dtype = (height, width), _DTYPES.get(kind, "")
        yield Plane(axes, file, offset, shape, dtype, compression != 0)


def _places(planes: Sequence[Plane], axes: tuple[str, ...]) -> np.ndarray[Any, Any]:
    """Return the place of each plane along some axes: numbers, or names in order."""
    labels: dict[tuple[str, str], int] = {}
    places = np.zeros((len(planes), len(axes)))
    for number, plane in enumerate(planes):
        for column, axis in enumerate(axes):
            at = plane.axes[axis]
            if isinstance(at, str):
                count = sum(key[0] == axis for key in labels)
                at = labels.setdefault((axis, at), count)
            places[number, column] = at
    return places


def _images(planes: Sequence[Plane]) -> dict[str, list[Plane]]:
    """Return the planes of each image by its name."""
    images: dict[str, list[Plane]] = {}
    for plane in planes:
        place = [f"{axis} {plane.axes[axis]}" for axis in _PLACES if axis in plane.axes]
        images.setdefault(" ".join(place), []).append(plane)
    return images


def ndtiff_entries(path: Path) -> tuple[ImageEntry, ...]:
    """Return the images of the dataset that a file is in; empty if it is in none."""
    images = _images(ndtiff_planes(path))
    entries = []
    for number, (name, planes) in enumerate(images.items()):
        named = tuple(sorted({plane.file for plane in planes}))
        files = tuple(path.parent / file for file in named)
        there = tuple(file for file in files if file.is_file())
        lost = tuple(file.name for file in files if file not in there)
        called = name if name and len(images) > 1 else f"image {number}"
        entry = ImageEntry(
            number, called, (called,), there, lost, named, held=path in files
        )
        entries.append(entry)
    return tuple(entries)


def ndtiff_series(tiff: TiffFile, number: int) -> TiffPageSeries | None:
    """Return an image of the dataset that an open file is in, by its number.

    Planes in files that do not exist are None; the image is, if all are.

    Raises
    ------
    ValueError
        If the index does not fit the files.
    """
    path = Path(tiff.filehandle.path)
    planes = list(_images(ndtiff_planes(path)).values())[number]
    keys = {file: _first_page(tiff, file) for file in {p.file for p in planes}}
    outer = [axis for axis in planes[0].axes if axis not in _PLACES]
    places = _places(planes, tuple(outer)).astype(int)
    places -= places.min(axis=0)
    shape = tuple(int(size) + 1 for size in places.max(axis=0))
    pages: Pages = [None] * int(np.prod(shape))
    for plane, place in zip(planes, places.tolist(), strict=True):
        at = int(np.ravel_multi_index(place, shape)) if outer else 0
        pages[at] = _page(plane, keys[plane.file], at)
    key = next((page for page in keys.values() if page is not None), None)
    if key is None:
        return None
    letters = "".join(TIFF.AXES_CODES.get(axis.lower(), "Q") for axis in outer)
    return TiffPageSeries(
        pages,
        (*shape, *key.shape),
        key.dtype,
        letters + key.axes,
        kind="ndtiff",
        parent=tiff,
        multifile=len(keys) > 1,
    )


def _first_page(tiff: TiffFile, file: str) -> Any:  # noqa: ANN401 - TiffPage or None
    """Return the first page of a file of a dataset; None if there is no such file."""
    path = Path(tiff.filehandle.path)
    if file == path.name:
        return tiff.pages.first
    if not path.with_name(file).is_file():
        return None
    with TiffFile(path.with_name(file), is_ndtiff=False) as other:
        return other.pages.first


def _page(plane: Plane, key: Any, number: int) -> TiffFrame | None:  # noqa: ANN401 - TiffPage or None
    if key is None:
        return None
    found = key.shape[:2], str(key.dtype), int(key.compression)
    if plane.compressed or found != (plane.shape, plane.dtype, 1):
        raise ValueError(
            f"got a plane {plane} in {_INDEX} that is not as in its file: {found}"
        )
    return TiffFrame(
        key.parent,
        number,
        keyframe=key,
        dataoffsets=(plane.offset,),
        databytecounts=key.databytecounts,
    )


def lacks_index(tiff: TiffFile) -> bool:
    """Return whether a file is of a dataset, but no index lists its planes."""
    tiff.filehandle.seek(_SIGNATURE_AT)
    return bool(tiff.filehandle.read(4) == _SIGNATURE) and not tiff.is_ndtiff
