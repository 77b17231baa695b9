"""Comparison figures: planes side by side, with captions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from napari_inr_denoise.io.atomic import atomic_write

_CAPTION_PIXELS = 22
_GAP_PIXELS = 6


def write_comparison(
    path: Path, panels: list[tuple[str, NDArray[Any]]], limits: tuple[float, float]
) -> None:
    """Write planes of one size side by side as a PNG.

    Parameters
    ----------
    path : Path
        File to write.
    panels : list of (caption, plane)
        Planes of shape (Y, X), of the same size and unit.
    limits : tuple of float
        Intensities shown as black and white, the same in all panels.
    """
    height, width = panels[0][1].shape
    step = width + _GAP_PIXELS
    size = (len(panels) * step - _GAP_PIXELS, height + _CAPTION_PIXELS)
    picture = Image.new("L", size, color=24)
    draw = ImageDraw.Draw(picture)
    for number, (caption, plane) in enumerate(panels):
        grey = Image.fromarray(as_grey(plane, limits))
        picture.paste(grey, (number * step, _CAPTION_PIXELS))
        font = ImageFont.load_default(size=13)
        draw.text((number * step + 4, 3), caption, fill=235, font=font)
    with atomic_write(path) as temporary:
        picture.save(temporary, format="PNG", optimize=True)


def as_grey(values: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.uint8]:
    """Return intensities as 0 (at the lower limit or below) to 255."""
    scaled = (values.astype(np.float64) - limits[0]) / (limits[1] - limits[0])
    return np.rint(np.clip(scaled, 0, 1) * 255).astype(np.uint8)
