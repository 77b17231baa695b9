"""Read PNG files."""

from __future__ import annotations

from pathlib import Path

from napari_inr_denoise.io.faults import UnsupportedError
from napari_inr_denoise.io.lazy.axis_letters import alpha_note
from napari_inr_denoise.io.record import ImageRecord

_HEADER = 29
_MAX_BYTES = 2**29
"""Maximum bytes of pixels: a PNG file is decoded as a whole."""
_MAX_SAMPLES = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}
"""Maximum number of samples per pixel by colour type; a palette may become four."""
_SIGNATURE_BYTES = 8
_CHUNK_OVERHEAD = 12
_UNCHECKED_BYTES = 2**16
"""Stored bytes that are accepted whatever the size of the image."""


def read_png(path: Path) -> ImageRecord:
    """Return the image of a PNG file, (Y, X) or (Y, X, samples).

    Raises
    ------
    ValueError
        If it declares more than 512 MB, or contains more data than it declares.
    """
    from imagecodecs import png_decode

    content = path.read_bytes()
    declared = _declared_bytes(content[:_HEADER])
    if declared > _MAX_BYTES:
        raise UnsupportedError(
            f"got {declared} bytes of pixels, wanted at most {_MAX_BYTES}"
        )
    _check_stored(content, declared)
    data = png_decode(content)
    if data.ndim == 2:
        return ImageRecord(data, "YX")
    alpha = data.shape[-1] in (2, 4)  # no PNG has other samples
    return ImageRecord(data, "YXS", notes=(alpha_note("YXS"),) if alpha else ())


def _declared_bytes(header: bytes) -> int:
    if len(header) < _HEADER or header[12:16] != b"IHDR":
        raise ValueError("got a file without a PNG header")
    width, height = (int.from_bytes(header[at : at + 4], "big") for at in (16, 20))
    return width * height * _MAX_SAMPLES.get(header[25], 4) * (header[24] // 16 + 1)


def _check_stored(content: bytes, declared: int) -> None:
    """Raise ValueError if the file stores more bytes than the uncompressed pixels need.

    Deflate adds less than 1 percent. Excess bytes would be decompressed, by up to a
    factor of 1000, and then discarded.
    """
    at, stored = _SIGNATURE_BYTES, 0
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        stored += length if content[at + 4 : at + 8] == b"IDAT" else 0
        at += length + _CHUNK_OVERHEAD
    # Each row starts with one filter byte, and has at least one byte of pixels.
    if stored > 2 * declared + _UNCHECKED_BYTES:
        raise ValueError(
            f"got {stored} stored bytes for {declared} bytes of pixels: more than "
            "the uncompressed pixels need"
        )
