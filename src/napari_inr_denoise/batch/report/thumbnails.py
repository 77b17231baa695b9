"""A part of an image before and after, small enough to keep for a thousand files."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_inr_denoise.batch.report.figures import as_grey
from napari_inr_denoise.batch.report.outliers import worst_plane
from napari_inr_denoise.core.report.report import FileReport
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.source import ImageSource, Window

SIDE = 96
"""Of the part, in pixels: each of the image is one of the picture, or noise that is
averaged away in a smaller picture would not be seen."""
_LOOKED_AT = 2048
"""Side of the middle of a large plane in which the part is looked for."""


@dataclass(frozen=True)
class Thumbnails:
    """The same part of a plane, under the same contrast.

    Attributes
    ----------
    before, after : bytes
        PNG.
    place : str
        Which part, in words.
    """

    before: bytes
    after: bytes
    place: str


@dataclass(frozen=True)
class Shown:
    """An image and its axes, of which parts are shown."""

    data: Any
    axes: str

    def part(self, index: dict[str, int], window: Window) -> NDArray[np.float64]:
        """Return a part as (Y, X, samples): one sample, or three."""
        sizes = dict(zip(self.axes, self.data.shape, strict=True))
        selection: list[int | slice] = [
            slice(None)
            if a in "YXS"
            else min(index.get(a, sizes[a] // 2), sizes[a] - 1)
            for a in self.axes
        ]
        inner = "".join(a for a in self.axes if a in "YXS")
        plane = Plane(index, tuple(selection), inner)
        values, _ = ImageSource(self.data).read(plane, window)
        return values[..., :3] if values.shape[-1] >= 3 else values[..., :1]

    def middle(self) -> Window:
        """Return the middle of a plane, of which all is read to find a part."""
        sizes = [self.data.shape[self.axes.index(a)] for a in "YX"]
        starts = [max((size - _LOOKED_AT) // 2, 0) for size in sizes]
        rows, columns = (
            slice(start, min(start + _LOOKED_AT, size))
            for start, size in zip(starts, sizes, strict=True)
        )
        return rows, columns


def thumbnails(noisy: Shown, result: Shown, file: FileReport) -> Thumbnails | None:
    """Return the part of the plane that stands out in which most is to be seen.

    Parameters
    ----------
    noisy, result : Shown
        The same image; the order of the axes may differ.
    file : FileReport
        Of the result.

    Returns
    -------
    Thumbnails or None
        None without planes.
    """
    number = worst_plane(file)
    if number is None:
        return None
    index = file.planes[number].index
    window = noisy.middle()
    after = result.part(index, window)
    part = _liveliest(after)
    parts = noisy.part(index, window)[part], after[part]
    limits = _limits(parts[1])
    before, after_png = (_png(as_grey(values, limits)) for values in parts)
    return Thumbnails(before, after_png, _place(index, window, part))


def _liveliest(plane_yxs: NDArray[np.float64]) -> Window:
    """Return the square with the largest spread of intensities."""
    height, width, _ = plane_yxs.shape
    squares = [
        (slice(y, y + SIDE), slice(x, x + SIDE))
        for y in range(0, max(height - SIDE, 0) + 1, SIDE)
        for x in range(0, max(width - SIDE, 0) + 1, SIDE)
    ]
    return max(squares, key=lambda square: float(plane_yxs[square].std()))


def _limits(part: NDArray[np.float64]) -> tuple[float, float]:
    """Return the intensities shown black and white: the result's, with a margin."""
    low, high = (float(v) for v in np.percentile(part, (0.5, 99.8)))
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def _png(grey: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(grey.squeeze(-1) if grey.shape[-1] == 1 else grey).save(file, "PNG")
    return file.getvalue()


def _place(index: dict[str, int], window: Window, part: Window) -> str:
    y, x = (w.start + p.start for w, p in zip(window, part, strict=True))
    plane = "".join(f"{axis} {number}, " for axis, number in index.items())
    return f"{plane}from x {x}, y {y}"
