"""Strips: noisy image, what each method made of it, truth; under one contrast."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from napari_inr_denoise.batch.report.figures import as_grey
from tests.benchmarks.peers.catalogue import METHODS
from tests.benchmarks.peers.store import Row, Store

_CROP = 128
"""Side of the part that is shown, in pixels."""
_COLUMNS = 5
_ZOOM = 2
_CAPTION = 40
_GAP = 6
_SHORT = {"noisy": "noisy", "blur": "blur, by the truth", "truth": "truth"}


def write_strip(
    path: Path, store: Store, group: str, image: str, methods: Sequence[str]
) -> None:
    """Write a PNG: the noisy image, the peers' results, this project's, the truth."""
    rows = {
        row.method: row
        for row in store.rows
        if (row.group, row.image) == (group, image)
    }
    panels = [
        (caption_of(name, rows.get(name)), values)
        for name in ("noisy", *_ordered(methods), "truth")
        if (values := store.image(group, image, name)) is not None
    ]
    truth = panels[-1][1]
    black, white = (float(v) for v in np.percentile(truth, (0.5, 99.7)))
    tiles = [
        _tile(text, as_grey(_shown(values), (black, white))) for text, values in panels
    ]
    width, height = tiles[0].size
    lines = -(-len(tiles) // _COLUMNS)
    columns = min(len(tiles), _COLUMNS)
    size = (columns * (width + _GAP) - _GAP, lines * (height + _GAP) - _GAP)
    sheet = Image.new("L", size, color=255)
    for number, tile in enumerate(tiles):
        line, column = divmod(number, _COLUMNS)
        sheet.paste(tile, (column * (width + _GAP), line * (height + _GAP)))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, optimize=True)


def _ordered(methods: Sequence[str]) -> list[str]:
    """Return the peers' methods, and then those of this project."""
    return sorted(methods, key=lambda name: METHODS[name].environment is None)


def caption_of(method: str, row: Row | None) -> tuple[str, str]:
    """Return the two lines above a panel: the method, its PSNR and its seconds."""
    name = _SHORT.get(method) or METHODS[method].label.replace("`", "")
    if row is None or row.psnr is None:
        return name, ""
    if row.cpu_seconds is None:
        return name, f"{row.psnr:.2f} dB"
    digits = 0 if row.cpu_seconds >= 1 else 1
    return name, f"{row.psnr:.2f} dB, {row.cpu_seconds:.{digits}f} s"


def _shown(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the middle of a plane, each pixel as several."""
    rows, columns = (
        slice(max(0, (size - _CROP) // 2), max(0, (size - _CROP) // 2) + _CROP)
        for size in values.shape
    )
    return np.kron(values[rows, columns], np.ones((_ZOOM, _ZOOM)))


def _tile(caption: tuple[str, str], grey: NDArray[np.uint8]) -> Image.Image:
    height, width = grey.shape
    tile = Image.new("L", (width, height + _CAPTION), color=255)
    tile.paste(Image.fromarray(grey), (0, _CAPTION))
    draw = ImageDraw.Draw(tile)
    font = ImageFont.load_default(size=14)
    for number, text in enumerate(caption):
        draw.text((2, 2 + 18 * number), text, fill=0, font=font)
    return tile
