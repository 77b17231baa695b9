"""Thumbnails of a region: before, after, residual and uncertainty."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_inr_denoise.batch.report.figures import as_grey
from napari_inr_denoise.batch.report.outliers import worst_plane
from napari_inr_denoise.core.report.report import FileReport, NoiseRecord
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.source import ImageSource, Window

SIDE = 96
"""Side in pixels. Thumbnails are cropped: scaling would average the noise."""
_SIGMAS, _LEAST_STD = 4.0, 0.1
"""Range of a residual, and smallest local noise as a fraction of that of the plane."""
_SEARCH_SIDE = 2048
"""Side of the centre of a large plane in which the region is searched."""


@dataclass(frozen=True)
class Thumbnails:
    """The same region of a plane before and after, at the same contrast.

    Attributes
    ----------
    before, after : bytes
        PNG files.
    place : str
        Position of the region as text.
    residual : bytes
        PNG file of before minus after over the noise, grey for 0; empty if the noise is
        not known.
    uncertainty : bytes
        PNG file of the standard deviation of the error, black for 0; empty if it is not
        known.
    """

    before: bytes
    after: bytes
    place: str
    residual: bytes = b""
    uncertainty: bytes = b""


@dataclass(frozen=True)
class AxesImage:
    """An image and its axes."""

    data: Any
    axes: str

    def region(self, index: dict[str, int], window: Window) -> NDArray[np.float64]:
        """Return a region as (Y, X, samples) with one or three samples."""
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

    def centre(self) -> Window:
        """Return the centre of a plane, in which the region is searched."""
        sizes = [self.data.shape[self.axes.index(a)] for a in "YX"]
        starts = [max((size - _SEARCH_SIDE) // 2, 0) for size in sizes]
        rows, columns = (
            slice(start, min(start + _SEARCH_SIDE, size))
            for start, size in zip(starts, sizes, strict=True)
        )
        return rows, columns


def thumbnails(
    noisy: AxesImage,
    result: AxesImage,
    file: FileReport,
    uncertainty: AxesImage | None = None,
) -> Thumbnails | None:
    """Return thumbnails of the region with the highest contrast in the worst plane.

    Parameters
    ----------
    noisy, result : AxesImage
        Image before and after; the order of the axes may differ.
    file : FileReport
        Report of the result.
    uncertainty : AxesImage, optional
        Standard deviation of each pixel's error.

    Returns
    -------
    Thumbnails or None
        None if the report has no planes.
    """
    number = worst_plane(file)
    if number is None:
        return None
    index = file.planes[number].index
    window = noisy.centre()
    after = result.region(index, window)
    region = _highest_contrast(after)
    regions = noisy.region(index, window)[region], after[region]
    limits = _limits(regions[1])
    before, after_png = (_png(as_grey(values, limits)) for values in regions)
    doubt = b""
    if uncertainty is not None:
        values = uncertainty.region(index, window)[region]
        most = float(np.nanmax(values, initial=0.0)) or 1.0
        doubt = _png(as_grey(np.nan_to_num(values), (0.0, most)))
    noise = file.planes[number].noise
    place = _place(index, window, region)
    return Thumbnails(before, after_png, place, _residual(*regions, noise), doubt)


def _residual(
    before: NDArray[np.float64], after: NDArray[np.float64], noise: NoiseRecord
) -> bytes:
    """Return the residual in units of the local noise, from -4 to 4."""
    if not noise.sigma:
        return b""
    variance = np.full(after.shape, noise.sigma**2)
    if noise.gain and noise.read_noise is not None:
        light = np.maximum(after - (noise.offset or 0.0), 0.0)
        variance = noise.gain * light + noise.read_noise**2
    std = np.sqrt(np.maximum(variance, (_LEAST_STD * noise.sigma) ** 2))
    return _png(as_grey((before - after) / std, (-_SIGMAS, _SIGMAS)))


def _highest_contrast(plane_yxs: NDArray[np.float64]) -> Window:
    """Return the square with the largest standard deviation."""
    height, width, _ = plane_yxs.shape
    squares = [
        (slice(y, y + SIDE), slice(x, x + SIDE))
        for y in range(0, max(height - SIDE, 0) + 1, SIDE)
        for x in range(0, max(width - SIDE, 0) + 1, SIDE)
    ]
    return max(squares, key=lambda square: float(plane_yxs[square].std()))


def _limits(region: NDArray[np.float64]) -> tuple[float, float]:
    """Return the intensities shown as black and white, with a margin."""
    low, high = (float(v) for v in np.percentile(region, (0.5, 99.8)))
    margin = 0.1 * (high - low) or 1.0
    return low - margin, high + margin


def _png(grey: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(grey.squeeze(-1) if grey.shape[-1] == 1 else grey).save(file, "PNG")
    return file.getvalue()


def _place(index: dict[str, int], window: Window, region: Window) -> str:
    y, x = (w.start + p.start for w, p in zip(window, region, strict=True))
    plane = "".join(f"{axis} {number}, " for axis, number in index.items())
    return f"{plane}from x {x}, y {y}"
