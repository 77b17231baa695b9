"""Positions of a Micro-Manager file without OME-XML, by the index in the file."""

from __future__ import annotations

from typing import Any

import numpy as np
from tifffile import TiffFile, TiffPageSeries

from napari_inr_denoise.io.tiff.claims import Pages
from napari_inr_denoise.io.untrusted.size_limits import check_count


def positions(tiff: TiffFile) -> list[TiffPageSeries]:
    """Return a series for each stage position; nothing without an index.

    The index has a row for each plane: channel, slice, frame, position, and where the
    page is. A set of files continues an index: counts start with the first in the file.
    """
    stated = _stated(tiff)
    index = np.asarray(stated.get("IndexMap", ()), np.int64)
    if index.ndim != 2 or index.shape[1] != 5 or not len(index):
        return []
    pages = {page.offset: page for page in tiff.pages}
    if not set(index[:, 4].tolist()) & set(pages):
        return []  # a damaged index; the pages are read in their order
    numbers = np.unique(index[:, 3])
    names = _names(stated.get("Summary", {}))
    of_position = [index[index[:, 3] == number] for number in numbers]
    return [
        _series(tiff, rows, pages, names.get(int(number), ""))
        for number, rows in zip(numbers, of_position, strict=True)
        if set(rows[:, 4].tolist()) & set(pages)
    ]


def _series(
    tiff: TiffFile, index: np.ndarray[Any, Any], pages: dict[int, Any], name: str
) -> TiffPageSeries:
    places = index[:, [2, 1, 0]]  # frame, slice, channel
    places = places - places.min(axis=0)
    shape = tuple(int(size) + 1 for size in places.max(axis=0))
    check_count(int(np.prod(shape, dtype=float)), "planes in Micro-Manager's index")
    ordered: Pages = [None] * int(np.prod(shape))
    for place, offset in zip(places, index[:, 4].tolist(), strict=True):
        ordered[int(np.ravel_multi_index(tuple(place), shape))] = pages.get(offset)
    first = tiff.pages.first
    return TiffPageSeries(
        ordered,
        (*shape, *first.shape),
        first.dtype,
        "TZC" + first.axes,
        kind="mmstack",
        name=name,
        parent=tiff,
    )


def _stated(tiff: TiffFile) -> dict[str, Any]:
    try:
        return dict(tiff.micromanager_metadata or {})
    except Exception:  # noqa: BLE001 - a damaged index is none
        return {}


def _names(summary: object) -> dict[int, str]:
    """Return the labels of the stage positions by their number."""
    listed = summary.get("StagePositions") if isinstance(summary, dict) else None
    if not isinstance(listed, list):
        return {}
    return {
        number: str(each.get("Label", ""))
        for number, each in enumerate(listed)
        if isinstance(each, dict)
    }
