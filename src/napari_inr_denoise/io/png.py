"""A PNG file as a record."""

from __future__ import annotations

from pathlib import Path

from napari_inr_denoise.io.record import ImageRecord

_HEADER = 29
_MOST_BYTES = 2**29
"""PNG files are read whole."""
_BYTES_OF = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}
"""Samples of a pixel by colour type; a palette may become four."""
_FIRST_CHUNK = 8
_AROUND_CHUNK = 12
_HARMLESS_BYTES = 2**16


def read_png(path: Path) -> ImageRecord:
    """Return the image, (Y, X) or (Y, X, samples).

    Raises
    ------
    ValueError
        If it claims more than 512 MB, or holds more than it claims.
    """
    from imagecodecs import png_decode

    content = path.read_bytes()
    claimed = _claimed_bytes(content[:_HEADER])
    if claimed > _MOST_BYTES:
        raise ValueError(f"got {claimed} bytes of pixels, wanted at most {_MOST_BYTES}")
    _check_stored(content, claimed)
    data = png_decode(content)
    return ImageRecord(data, "YX" if data.ndim == 2 else "YXS")


def _claimed_bytes(header: bytes) -> int:
    if len(header) < _HEADER or header[12:16] != b"IHDR":
        raise ValueError("got no PNG header")
    width, height = (int.from_bytes(header[at : at + 4], "big") for at in (16, 20))
    return width * height * _BYTES_OF.get(header[25], 4) * (header[24] // 16 + 1)


def _check_stored(content: bytes, claimed: int) -> None:
    """Raise an error if there are more stored bytes than the pixels take unpacked.

    Packing adds less than a hundredth. The rest would be unpacked, a thousand bytes
    for each, only to be thrown away.
    """
    at, stored = _FIRST_CHUNK, 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        stored += length if content[at + 4 : at + 8] == b"IDAT" else 0
        at += length + _AROUND_CHUNK
    # Each row begins with a byte for its filter, and there are no more rows than bytes.
    if stored > 2 * claimed + _HARMLESS_BYTES:
        raise ValueError(
            f"got {stored} stored bytes for {claimed} bytes of pixels: more stored "
            "bytes than these take unpacked"
        )
