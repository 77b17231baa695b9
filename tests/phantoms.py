"""Phantoms: planes with a known truth, the camera's noise, and ways to filter both.

Planes have shape (Y, X) and are in photons, unless told otherwise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import convolve, gaussian_filter, rotate, shift, zoom

Array = NDArray[np.float64]
SIDE = 96
READ_NOISE = 1.5


def cells(side: int = SIDE, seed: int = 3) -> Array:
    """Return bright, textured cells on a dark background, in photons."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    plane = np.full((side, side), 2.0)
    for _ in range(9):
        y, x = rng.uniform(0, side, 2)
        radius, height = rng.uniform(6, 12), rng.uniform(10, 50)
        distance = np.hypot(rows - y, columns - x) / radius
        texture = 1 + 1.5 * gaussian_filter(rng.normal(size=plane.shape), 2.0)
        plane += height * np.maximum(texture, 0) / (1 + np.exp(8 * (distance - 1)))
    return plane


def tissue(side: int = SIDE, seed: int = 3) -> Array:
    """Return textured ellipses that overlap, from about 0 to 1.

    The ellipses grow with the side, the texture does not.
    """
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side]
    plane = np.full((side, side), 0.05)
    for _ in range(14):
        y, x = rng.uniform(0, side, 2)
        axes = rng.uniform(0.05 * side, 0.12 * side, 2)
        angle, height = rng.uniform(0, np.pi), rng.uniform(0.15, 0.6)
        along = (rows - y) * np.cos(angle) + (columns - x) * np.sin(angle)
        across = (columns - x) * np.cos(angle) - (rows - y) * np.sin(angle)
        distance = np.hypot(along / axes[0], across / axes[1])
        texture = 1 + 2.4 * gaussian_filter(rng.normal(size=plane.shape), 2.0)
        plane += height * np.maximum(texture, 0) / (1 + np.exp(8 * (distance - 1)))
    return plane / plane.max()


def texture(side: int, seed: int, reach: float) -> Array:
    """Return texture with dark places of a few pixels, in photons.

    Its contrast changes over `reach` pixels, so that no large place is quiet.
    """
    rng = np.random.default_rng(seed)
    fine, coarse = rng.standard_normal((2, side, side))
    fine, coarse = gaussian_filter(fine, 1.5), gaussian_filter(coarse, reach)
    contrast = np.maximum(coarse / coarse.std(), 0)
    return np.asarray(20 + 15 * contrast * np.abs(fine / fine.std()))


def spots(
    side: int = SIDE,
    width: float = 0.8,
    background: float = 2.0,
    peaks: tuple[float, ...] = (10, 50, 200),
) -> Array:
    """Return a dense grid of Gaussian spots; width is their standard deviation."""
    rng, rows_columns = np.random.default_rng(1), np.mgrid[:side, :side]
    plane = np.full((side, side), float(background))
    for y in range(8, side - 8, 14):
        for x in range(8, side - 8, 14):
            place = np.array([y, x]) + rng.uniform(-2, 2, 2)
            away = np.square(rows_columns - place[:, None, None]).sum(axis=0)
            plane += rng.choice(peaks) * np.exp(-away / 2 / width**2)
    return plane


def filaments(side: int = SIDE, background: float = 2.0) -> Array:
    """Return nearly horizontal lines of one pixel, 3 to 50 photons bright."""
    rng = np.random.default_rng(3)
    plane = np.full((side, side), float(background))
    columns = np.arange(2, side - 2)
    for number in range(side // 8 - 1):
        drift = np.linspace(0, rng.uniform(-3, 3), len(columns))
        rows = np.rint(5 + 7.6 * number + drift).astype(int)
        plane[np.clip(rows, 0, side - 1), columns] += (3, 6, 12, 25, 50)[number % 5]
    return plane


def camera(
    clean: Array,
    seed: int | np.random.Generator = 7,
    read_noise: float = READ_NOISE,
) -> Array:
    """Return the plane with photon noise and read noise."""
    rng = np.random.default_rng(seed)
    return rng.poisson(clean) + rng.normal(0, read_noise, clean.shape)


def with_blurred_noise(
    clean: Array, width: float, seed: int | np.random.Generator = 7
) -> Array:
    """Return the plane with noise of the camera's level that was blurred."""
    rng = np.random.default_rng(seed)
    noise = gaussian_filter(rng.standard_normal(clean.shape), width, mode="wrap")
    return np.asarray(clean + noise / noise.std() * np.sqrt(clean + READ_NOISE**2))


def interpolated(plane: Array) -> Array:
    """Return a plane moved by half a pixel along both axes."""
    return np.asarray(shift(plane, (0.5, 0.5), order=1, mode="nearest"))


def demosaicked(plane: Array) -> Array:
    """Return the plane with every second pixel replaced by the mean of four others."""
    seen = np.indices(plane.shape).sum(axis=0) % 2 == 1
    cross = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]]) / 4
    return np.where(seen, plane, convolve(plane, cross))


def deconvolved(plane: Array, limit: float = 0.35, width: float = 0.18) -> Array:
    """Return the plane after a Wiener filter for a blur, without high frequencies.

    The limit and the width of the blur are in cycles per pixel.
    """
    rows, columns = (np.fft.fftfreq(size)[:, None] for size in plane.shape)
    radius = np.hypot(rows, columns.T)
    blur = np.exp(-np.square(radius / width))
    response = blur / (blur**2 + 0.05) * (radius < limit)
    return np.fft.ifft2(np.fft.fft2(plane) * response / response[0, 0]).real


def rotated(plane: Array) -> Array:
    """Return a plane rotated by 7 degrees."""
    return np.asarray(rotate(plane, 7, reshape=False, order=1, mode="nearest"))


def enlarged(plane: Array, order: int = 3) -> Array:
    """Return a plane with twice the pixels along both axes."""
    return np.asarray(zoom(plane, 2, order=order))


def sharpened(plane: Array) -> Array:
    """Return the plane after Fiji's "Sharpen"."""
    kernel = np.full((3, 3), -1 / 4)
    kernel[1, 1] = 3
    return np.asarray(convolve(plane, kernel))


def line_averaged(plane: Array) -> Array:
    """Return a plane in which each row is the mean of itself and the one above."""
    return (plane + np.roll(plane, 1, axis=0)) / 2
