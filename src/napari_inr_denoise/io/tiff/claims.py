"""Planes that a TIFF file claims to hold, and those that are not there."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from tifffile import TiffFile, TiffFrame, TiffPage, TiffPageSeries
from tifffile.tifffile import shaped_description_metadata

from napari_inr_denoise.io.untrusted.size_limits import check_count

Pages = list[TiffPage | TiffFrame | None]


def claimed_series(tiff: TiffFile) -> list[TiffPageSeries]:
    """Return the images of a file, each with as many planes as the file claims.

    tifffile drops or refuses planes that it cannot find. Here such a plane is None.
    """
    try:
        found = list(tiff.series)
    except Exception:  # a page that is cut short
        if tiff.is_ome or not any(True for _ in _readable_pages(tiff)):
            raise
        found = [_readable_series(tiff)]
    if len(found) > 1 or not found:
        return found
    (series,) = found
    if tiff.is_shaped and series.kind != "ome":
        series = _shaped_series(tiff, series)
    elif tiff.is_imagej and series.kind in ("imagej", "generic", "uniform"):
        series = _imagej_series(tiff, series)
    if series.dataoffset is None and len(_present(series)) < _plane_count(series):
        # The order of the axes is known, the number of pages is smaller.
        shape, axes = series.get_shape(squeeze=False), series.get_axes(squeeze=False)
        series = _series(tiff, shape, axes, kind=series.kind)
    return [series]


def _readable_series(tiff: TiffFile) -> TiffPageSeries:
    """Return all whole pages of a file that are like the first."""
    first = tiff.pages.first
    alike = [page for page in _readable_pages(tiff) if page.shape == first.shape]
    shape, axes = (len(alike), *first.shape), "I" + first.axes
    return TiffPageSeries(alike, shape, first.dtype, axes, kind="generic", parent=tiff)


def _present(series: TiffPageSeries) -> Pages:
    pages: Pages = []
    with suppress(IndexError):
        pages.extend(series[k] for k in range(_plane_count(series)))
    return pages


def _plane_count(series: TiffPageSeries) -> int:
    count = math.prod(series.shape) // max(math.prod(series.keyframe.shape), 1)
    check_count(count, "planes declared by the file")
    return count


def _series(
    tiff: TiffFile, shape: tuple[int, ...], axes: str, kind: str
) -> TiffPageSeries:
    """Return a series of the pages of a file, filled up with None."""
    first = tiff.pages.first
    count = math.prod(shape) // max(math.prod(first.shape), 1)
    check_count(count, "planes declared by the file")
    pages: Pages = []
    for page in _readable_pages(tiff):
        if page.shape == first.shape and page.dtype == first.dtype:
            pages.append(page)
    pages = pages[:count] + [None] * (count - len(pages))
    return TiffPageSeries(pages, shape, first.dtype, axes, kind=kind, parent=tiff)


def _readable_pages(tiff: TiffFile) -> Iterator[TiffPage | TiffFrame]:
    """Yield pages as far as the file goes."""
    for number in range(len(tiff.pages)):
        try:
            yield tiff.pages[number]
        except Exception:  # noqa: BLE001 - its tags lie beyond the end of the file
            return


def _shaped_series(tiff: TiffFile, series: TiffPageSeries) -> TiffPageSeries:
    """Return the series with the planes that tifffile's own description claims."""
    first = tiff.pages.first
    text = shaped_description_metadata(first.shaped_description or "")
    shape = tuple(int(size) for size in text["shape"])
    if math.prod(shape) <= math.prod(series.shape):
        return series
    inner = str(first.axes)
    unknown = "Q" * (len(shape) - len(inner)) + inner
    axes = str(text.get("axes", unknown))
    axes = axes if len(axes) == len(shape) else unknown
    return _series(tiff, shape, axes, kind="shaped")


def _imagej_series(tiff: TiffFile, series: TiffPageSeries) -> TiffPageSeries:
    """Return the series with the planes that ImageJ's description claims."""
    page, (shape, axes) = tiff.pages.first, _imagej_claims(tiff)
    claimed = math.prod(shape)
    if claimed <= _plane_count(series):
        return series
    check_count(claimed, "images declared by ImageJ's description")
    shape, axes = (*shape, *page.shape), axes + page.axes
    if _is_contiguous(tiff):
        return TiffPageSeries(
            [page], shape, page.dtype, axes, kind="imagej", truncated=True
        )
    return _series(tiff, shape, axes, kind="imagej")


def _is_contiguous(tiff: TiffFile) -> bool:
    """Return whether planes follow the first one, as ImageJ stores a stack."""
    page = tiff.pages.first
    if not (page.is_final and page.is_contiguous):
        return False
    end = page.dataoffsets[0] + page.nbytes
    if len(tiff.pages) > 1:
        return bool(tiff.pages[1].dataoffsets[0] == end)
    return is_cut_short(tiff) or tiff.filehandle.size >= end + page.nbytes


def _imagej_claims(tiff: TiffFile) -> tuple[tuple[int, ...], str]:
    """Return sizes and letters of the axes before those of a page."""
    stated: Mapping[str, Any] = tiff.imagej_metadata or {}
    sizes = {
        letter: max(int(stated.get(name, 1)), 1)
        for letter, name in (("t", "frames"), ("z", "slices"), ("c", "channels"))
    }
    if tiff.pages.first.samplesperpixel == sizes["c"]:  # colours, not planes
        sizes["c"] = 1
    order = str(stated.get("order", "czt")).lower()
    order = order if sorted(order) == ["c", "t", "z"] else "czt"
    axes = {letter.upper(): sizes[letter] for letter in reversed(order)}
    images = int(stated.get("images", 1))
    if math.prod(axes.values()) == 1 and images > 1:
        axes = {"I": images}
    return tuple(axes.values()), "".join(axes)


def is_cut_short(tiff: TiffFile) -> bool:
    """Return whether the list of pages goes on beyond the end of the file."""
    at, size = tiff.pages.next_page_offset, tiff.filehandle.size
    if at is None:
        return False
    layout = tiff.tiff
    tiff.filehandle.seek(at)
    stored = tiff.filehandle.read(layout.offsetsize)
    if len(stored) < layout.offsetsize:
        return True
    (following,) = struct.unpack(layout.offsetformat, stored)
    if following == 0:
        return False
    if following + layout.tagnosize > size:
        return True
    tiff.filehandle.seek(following)
    (tags,) = struct.unpack(layout.tagnoformat, tiff.filehandle.read(layout.tagnosize))
    end = following + layout.tagnosize + tags * layout.tagsize + layout.offsetsize
    return bool(end > size)


def contiguous_pages(series: TiffPageSeries) -> Pages:
    """Return the pages of planes that are stored one after the other.

    Planes that lie beyond the end of the file are None.
    """
    first = series.keyframe
    length = file_length(first)
    pages: Pages = [first]
    for number in range(1, _plane_count(series)):
        shift = number * first.nbytes
        if first.dataoffsets[0] + shift >= length:
            pages.append(None)
            continue
        offsets = tuple(offset + shift for offset in first.dataoffsets)
        pages.append(
            TiffFrame(
                first.parent,
                number,
                keyframe=first,
                dataoffsets=offsets,
                databytecounts=first.databytecounts,
            )
        )
    return pages


def missing_segments(pages: Pages) -> dict[int, frozenset[int] | None]:
    """Return the strips or tiles of each page that are not, or not whole, in its file.

    Parameters
    ----------
    pages : list of TiffPage, TiffFrame or None
        The pages of an image.

    Returns
    -------
    dict
        Numbers of segments by the number of the page; None for all. Pages that are
        whole are left out.
    """
    found: dict[int, frozenset[int] | None] = {}
    for number, page in enumerate(pages):
        if page is None:
            found[number] = None
            continue
        length = file_length(page)
        pairs = zip(page.dataoffsets, page.databytecounts, strict=False)
        lost = [k for k, (at, count) in enumerate(pairs) if at + count > length]
        if lost:
            whole = len(lost) == len(page.dataoffsets)
            found[number] = None if whole else frozenset(lost)
    return found


def file_length(page: TiffPage | TiffFrame) -> int:
    """Return the length of the file that contains a page."""
    return int(page.parent.filehandle.size)
