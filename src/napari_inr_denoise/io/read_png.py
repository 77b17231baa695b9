"""A PNG file as a record."""

from __future__ import annotations

from pathlib import Path

from napari_inr_denoise.io.record import ImageRecord

_HEADER = 29
_MOST_BYTES = 2**29
"""PNG files are read whole."""
_BYTES_OF = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}
"""Samples of a pixel by colour type; a palette may become four."""


def read_png(path: Path) -> ImageRecord:
    """Return the image, (Y, X) or (Y, X, samples).

    Raises
    ------
    ValueError
        If it claims more than 512 MB.
    """
    from imagecodecs import png_decode

    content = path.read_bytes()
    claimed = _claimed_bytes(content[:_HEADER])
    if claimed > _MOST_BYTES:
        raise ValueError(f"got {claimed} bytes of pixels, wanted at most {_MOST_BYTES}")
    data = png_decode(content)
    return ImageRecord(data, "YX" if data.ndim == 2 else "YXS")


def _claimed_bytes(header: bytes) -> int:
    if len(header) < _HEADER or header[12:16] != b"IHDR":
        raise ValueError("got no PNG header")
    width, height = (int.from_bytes(header[at : at + 4], "big") for at in (16, 20))
    return width * height * _BYTES_OF.get(header[25], 4) * (header[24] // 16 + 1)
