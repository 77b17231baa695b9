"""Compare the size that a file declares with the bytes that it stores."""

from __future__ import annotations

import math

from tifffile import TiffFrame, TiffPage, TiffPageSeries

from napari_inr_denoise.io.faults import UnsupportedError

_UNCHECKED_BYTES = 2**26
"""Declared bytes that are accepted without a check, because they cost little."""
MAX_SPARSE_BYTES = 2**30
"""Maximum size of an image without stored bytes: missing blocks are zeros."""
_MAX_RATIO = 2**16
"""Maximum compression ratio: Zstandard reaches about 43 700 for a constant image, and
some codecs more for tiny images."""
_MAX_RATIO_BY_CODEC = {1: 8} | dict.fromkeys((5, 6, 7, 8, 32773, 32946), 2**12)
"""Maximum ratio by TIFF compression: none (bits become bytes), LZW, JPEG, deflate (at
most 1032), PackBits."""


def check_declared_size(series: TiffPageSeries) -> None:
    """Raise ValueError if a TIFF file cannot contain the image that it declares.

    Parameters
    ----------
    series : TiffPageSeries
        The image; its values are not read.

    Raises
    ------
    ValueError
        If no compression reaches the declared size. A file that is cut short is none
        of that: see `tiff.claims`.
    """
    if math.prod(series.shape) == 0 or series.dtype is None:
        raise ValueError(f"got an image of shape {series.shape}, which has no pixels")
    if series.dataoffset is not None:  # not compressed
        return
    pages = [page for page in series.pages if page is not None]
    for page in pages:
        _check_page(page)
    stored = sum(sum(page.databytecounts) for page in pages)
    check_compression_ratio(series.nbytes, stored)


def check_compression_ratio(declared: int, stored: int) -> None:
    """Raise ValueError if no compression reaches the declared size of an image.

    Parameters
    ----------
    declared : int
        Bytes of all values.
    stored : int
        Bytes on disk.

    Raises
    ------
    ValueError
        If `declared` is above `MAX_SPARSE_BYTES` and the ratio is too large.
    """
    _check_ratio(declared, stored, MAX_SPARSE_BYTES, _MAX_RATIO)


def check_count(declared: int, kind: str, maximum: int = 10**6) -> None:
    """Raise ValueError if a file declares too many items of a kind."""
    if declared > maximum:
        raise UnsupportedError(f"got {declared} {kind}, wanted at most {maximum}")


def _check_page(page: TiffPage | TiffFrame) -> None:
    """Check the size of the strips or tiles of a page."""
    pairs = list(zip(page.dataoffsets, page.databytecounts, strict=False))
    key = page if isinstance(page, TiffPage) else page.keyframe
    assert key is not None
    wanted = math.prod(key.chunked)
    if len(pairs) < wanted:
        raise ValueError(f"wanted {wanted} strips or tiles in a page, got {len(pairs)}")
    present = [count for _, count in pairs if count]
    itemsize = 1 if key.dtype is None else key.dtype.itemsize
    declared = len(present) * math.prod(key.chunks) * itemsize
    ratio = _MAX_RATIO_BY_CODEC.get(int(key.compression), _MAX_RATIO)
    _check_ratio(declared, sum(present), _UNCHECKED_BYTES, ratio)


def _check_ratio(declared: int, stored: int, unchecked: int, ratio: int) -> None:
    if declared > max(unchecked, ratio * stored):
        raise ValueError(
            f"got {stored} stored bytes for {declared} bytes of pixels: no compression "
            "has such a ratio"
        )
