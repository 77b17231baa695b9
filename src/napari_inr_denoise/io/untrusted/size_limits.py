"""What a file claims to hold, against what it can hold."""

from __future__ import annotations

import math

from tifffile import TiffFrame, TiffPage, TiffPageSeries

_HARMLESS_BYTES = 2**26
"""A claim that costs little if it is wrong."""
MAX_SPARSE_BYTES = 2**30
"""What an image may take, all of it left out of the file: such parts are zeros."""
_MOST_PER_BYTE = 2**16
"""Decoded bytes for each stored one: Zstandard does about 43 700 on a constant image,
and some codecs more on tiny ones."""
_MOST_PER_BYTE_OF = {1: 8} | dict.fromkeys((5, 6, 7, 8, 32773, 32946), 2**12)
"""The same for: nothing (bits become bytes), LZW, JPEG, deflate (which cannot do more
than 1032), PackBits."""


def check_declared_size(series: TiffPageSeries) -> None:
    """Raise an error if a TIFF image cannot be what it claims, before it is read.

    Raises
    ------
    ValueError
        If values are missing, or if more is claimed than the file can hold.
    """
    if math.prod(series.shape) == 0 or series.dtype is None:
        raise ValueError(f"got an image of shape {series.shape}, which has no pixels")
    if series.dataoffset is not None:
        _check_end(series.dataoffset + series.nbytes, _length(series.pages[0]))
        return
    pages = [page for page in series.pages if page is not None]
    for page in pages:
        _check_page(page)
    stored = sum(sum(page.databytecounts) for page in pages)
    check_compression_ratio(series.nbytes, stored)


def check_compression_ratio(claimed: int, stored: int) -> None:
    """Raise an error if a whole image claims more than its file can hold.

    Parameters
    ----------
    claimed : int
        Bytes of all its values.
    stored : int
        Bytes on the disk.

    Raises
    ------
    ValueError
        If no compression does so well.
    """
    _check_ratio(claimed, stored, MAX_SPARSE_BYTES, _MOST_PER_BYTE)


def check_count(claimed: int, what: str, most: int = 10**6) -> None:
    """Raise an error if a file announces an absurd number of things."""
    if claimed > most:
        raise ValueError(f"got {claimed} {what}, wanted at most {most}")


def _check_page(page: TiffPage | TiffFrame) -> None:
    """Check the strips or tiles of a page."""
    pairs = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    end = max((offset + count for offset, count in pairs), default=0)
    _check_end(end, _length(page))
    key = page if isinstance(page, TiffPage) else page.keyframe
    assert key is not None
    wanted = math.prod(key.chunked)
    if len(pairs) < wanted:
        raise ValueError(f"wanted {wanted} strips or tiles in a page, got {len(pairs)}")
    present = [count for _, count in pairs if count]
    itemsize = 1 if key.dtype is None else key.dtype.itemsize
    claimed = len(present) * math.prod(key.chunks) * itemsize
    most = _MOST_PER_BYTE_OF.get(int(key.compression), _MOST_PER_BYTE)
    _check_ratio(claimed, sum(present), _HARMLESS_BYTES, most)


def _check_end(needed: int, length: int) -> None:
    if needed > length:
        raise ValueError(
            f"wanted at least {needed} bytes, got {length}: the file is cut short"
        )


def _check_ratio(claimed: int, stored: int, harmless: int, most: int) -> None:
    if claimed > max(harmless, most * stored):
        raise ValueError(
            f"got {stored} stored bytes for {claimed} bytes of pixels: more than any "
            "compression can hold"
        )


def _length(page: TiffPage | TiffFrame | None) -> int:
    """Return the length of the file that holds a page."""
    assert page is not None
    return int(page.parent.filehandle.size)
