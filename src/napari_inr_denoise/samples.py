"""Synthetic fluorescence images with known truth, drawn from a seed.

Intensities are camera counts: Poisson noise for a given number of photons in the
brightest pixel, plus a camera offset and read noise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

OFFSET = 100.0
READ_NOISE = 3.0
"""Offset and read noise in camera counts; one photon is one count."""
PIXEL_UM = 0.1
PLANE_DISTANCE_UM = 0.3
FRAME_SECONDS = 5.0


@dataclass(frozen=True)
class Sample:
    """Noisy image and its truth, with the same shape and units.

    Attributes
    ----------
    noisy : ndarray of uint16
        Camera counts.
    truth : ndarray of float32
        Expected camera counts without noise.
    axes : str
        One letter per dimension.
    spacing_um : dict
        Pixel size in micrometres along the spatial axes.
    time_step_s : float or None
        Seconds between time points.
    """

    noisy: NDArray[np.uint16] = field(repr=False)
    truth: NDArray[np.float32] = field(repr=False)
    axes: str
    spacing_um: dict[str, float]
    time_step_s: float | None = None


def field_of_cells(side: int = 256, photons: float = 60.0, seed: int = 0) -> Sample:
    """Draw a plane with nuclei, filaments and vesicles.

    Parameters
    ----------
    side : int
        Height and width in pixels.
    photons : float
        Photons in the brightest pixel.
    seed : int
        Seed of the random generator.
    """
    rng = np.random.default_rng(seed)
    shape = (side, side)
    signal = 0.35 * _blobs(rng, shape, count=7, radius=side / 11)
    signal += 0.6 * _filaments(rng, shape, count=max(side // 9, 3))
    signal += 0.7 * _spots(_points(rng, shape, count=side // 4), shape, sigma=1.4)
    return _photograph(rng, signal, photons, "YX", _plane_spacing())


def small_stack(
    planes: int = 16, side: int = 96, photons: float = 80.0, seed: int = 0
) -> Sample:
    """Draw a (Z, Y, X) stack of nuclei and vesicles.

    Parameters
    ----------
    planes : int
        Number of planes along Z.
    side : int
        Height and width in pixels.
    photons : float
        Photons in the brightest voxel.
    seed : int
        Seed of the random generator.
    """
    rng = np.random.default_rng(seed)
    shape = (planes, side, side)
    signal = 0.4 * _blobs(rng, shape, count=6, radius=side / 8)
    signal += _spots(_points(rng, shape, count=60), shape, sigma=1.6)
    spacing = {"Z": PLANE_DISTANCE_UM, **_plane_spacing()}
    return _photograph(rng, signal, photons, "ZYX", spacing)


def time_lapse(
    frames: int = 12, side: int = 96, photons: float = 80.0, seed: int = 0
) -> Sample:
    """Draw a (T, Y, X) time-lapse of vesicles that move and bleach.

    Parameters
    ----------
    frames : int
        Number of time points.
    side : int
        Height and width in pixels.
    photons : float
        Photons in the brightest pixel of all frames.
    seed : int
        Seed of the random generator.
    """
    rng = np.random.default_rng(seed)
    plane = (side, side)
    cells = 0.3 * _blobs(rng, plane, count=4, radius=side / 7)
    points = _points(rng, plane, count=40)
    velocity = rng.normal(0, 1.2, (len(points), 2))
    signal = []
    for frame in range(frames):
        moved = points.copy()
        moved[:, 1:] += frame * velocity
        bleached = 0.5 ** (frame / frames)
        signal.append(bleached * (cells + _spots(moved, plane, sigma=1.6)))
    return _photograph(
        rng, np.stack(signal), photons, "TYX", _plane_spacing(), FRAME_SECONDS
    )


def _plane_spacing() -> dict[str, float]:
    return {"Y": PIXEL_UM, "X": PIXEL_UM}


def _photograph(
    rng: Generator,
    signal: NDArray[np.float64],
    photons: float,
    axes: str,
    spacing_um: dict[str, float],
    time_step_s: float | None = None,
) -> Sample:
    """Simulate the camera: Poisson noise, read noise, offset and rounding to counts."""
    background = 0.03
    expected = photons * (signal / signal.max() + background) / (1 + background)
    counts = rng.poisson(expected) + rng.normal(0, READ_NOISE, signal.shape) + OFFSET
    noisy = np.clip(np.rint(counts), 0, np.iinfo(np.uint16).max).astype(np.uint16)
    truth = (expected + OFFSET).astype(np.float32)
    return Sample(noisy, truth, axes, spacing_um, time_step_s)


def _points(rng: Generator, shape: tuple[int, ...], count: int) -> NDArray[np.float64]:
    """Return one row per point: brightness, and position in pixels."""
    brightness = rng.uniform(0.3, 1.0, (count, 1))
    return np.hstack([brightness, rng.uniform(0, 1, (count, len(shape))) * shape])


def _spots(
    points: NDArray[np.float64], shape: tuple[int, ...], sigma: float
) -> NDArray[np.float64]:
    """Draw one Gaussian per point, see `_points`; `sigma` is in pixels."""
    image = np.zeros(shape)
    axes = [np.arange(length) for length in shape]
    for brightness, *centre in points:
        profiles = [
            np.exp(-0.5 * ((axis - at) / sigma) ** 2)
            for axis, at in zip(axes, centre, strict=True)
        ]
        image += brightness * reduce(np.multiply.outer, profiles)
    return image


def _blobs(
    rng: Generator, shape: tuple[int, ...], count: int, radius: float
) -> NDArray[np.float64]:
    """Draw ellipsoids with soft edges and texture."""
    texture = _spots(_points(rng, shape, count * 40), shape, sigma=radius / 5)
    grid = np.indices(shape)
    image = np.zeros(shape)
    for _ in range(count):
        centre = rng.uniform(0.1, 0.9, len(shape)) * shape
        # A stack is flat: the depth of its nuclei is limited to that of the stack.
        radii = np.minimum(rng.uniform(0.7, 1.3, len(shape)) * radius, shape)
        distance = np.sqrt(
            sum(
                ((axis - at) / size) ** 2
                for axis, at, size in zip(grid, centre, radii, strict=True)
            )
        )
        image = np.maximum(image, 1 / (1 + np.exp((distance - 1) * radius)))
    mottled: NDArray[np.float64] = image * (
        0.6 + 0.4 * texture / max(texture.max(), 1e-12)
    )
    return mottled


def _filaments(
    rng: Generator, shape: tuple[int, int], count: int
) -> NDArray[np.float64]:
    """Draw curved lines, about two pixels wide."""
    image = np.zeros(shape)
    steps = int(0.8 * max(shape))
    for _ in range(count):
        turns = rng.normal(0, 0.03, steps).cumsum() + rng.uniform(0, 2 * np.pi)
        track = np.stack([np.sin(turns), np.cos(turns)], axis=1).cumsum(axis=0)
        track += rng.uniform(0, 1, 2) * shape
        line = np.zeros(shape)
        at = np.rint(track).astype(int)
        inside = np.all((at >= 0) & (at < shape), axis=1)
        line[tuple(at[inside].T)] = 1.0
        image = np.maximum(image, rng.uniform(0.4, 1.0) * _blur(line))
    return image


def _blur(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Blur a line of one pixel to a ridge with a height of about 1."""
    kernel = np.exp(-0.5 * (np.arange(-4, 5) / 1.1) ** 2)
    blurred: NDArray[np.float64] = line / kernel.sum()
    for axis in (0, 1):
        blurred = np.apply_along_axis(np.convolve, axis, blurred, kernel, "same")
    return blurred
