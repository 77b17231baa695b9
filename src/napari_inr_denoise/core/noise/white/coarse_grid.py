"""A coarser grid for planes with more pixels than their noise and structure need.

Where the colours of a camera were interpolated, or a plane was enlarged, turned or
shifted by parts of a pixel, neighbouring pixels share noise. Below some frequency its
power is nevertheless the same everywhere, and above it is little of noise and of
structure. On a grid that keeps the lower frequencies alone the noise is white: nothing
must be hidden from a network but the pixel itself, and Stein's risk and similar patches
can be used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from napari_inr_denoise.core.noise.correlated.spectrum import measure_spectrum
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.white.white_plane import (
    WhitePlane,
    filled,
    may_be_transformed,
    resampled,
    told_by_neighbours,
    transformed,
)

SCALE = 0.4
"""Pixels of the coarse grid along an axis, for each of the plane. Frequencies above 0.2
cycles per pixel are left out. With 0.5 the noise of a camera with interpolated colours
is not white yet; with 1/3 more structure is lost."""
_SMALLEST = 64
"""Smallest side of a coarse plane, in pixels. With 51 pixels one of eleven planes had
an error 9 % larger than on its own grid."""
_FLAT = 0.5
"""Smallest power at the highest over that at middle frequencies (`NoiseSpectrum.fall`)
at which the noise of the coarse plane is white."""
_BLOCK = 8
"""Side, in pixels, of the blocks in which what is left out is compared."""
_SHARP, _SMOOTH = 0.1, 0.5
"""Shares of the blocks that are compared: those of most contrast and of least."""
_MOST_SHARP = 1.25
"""Largest power, over that of the smooth blocks, of what is left out of the sharp ones.
Beyond it structure would be lost. 1.0 to 1.14 on 2 wide-field frames and 18 planes with
added noise that gain; 1.6 and more on photographs and spots, which lose."""
_TINY = float(np.finfo(float).tiny)


def coarse_grid(problem: NoisyPlane) -> WhitePlane | None:
    """Return a plane on a coarser grid; None where it does not serve.

    It serves where the noise is correlated, is white on the coarse grid, and where what
    is left out has no structure: its power, over that expected of the noise, is not
    larger where the plane has much contrast.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    """
    shape_yx = problem.fitted_yx.shape
    height, width = (round(size * SCALE) for size in shape_yx)
    if min(height, width) < _SMALLEST or not may_be_transformed(problem):
        return None
    plane_yxs = filled(problem)
    values = resampled(plane_yxs, (height, width))
    known = np.ones((height, width), dtype=bool)
    spectra = [measure_spectrum(values[..., k], known) for k in range(values.shape[-1])]
    white = [one for one in spectra if one is not None and one.fall >= _FLAT]
    if len(white) < len(spectra):
        return None
    kept = resampled(values, shape_yx)
    if _sharpness(problem, kept, plane_yxs - kept) > _MOST_SHARP:
        return None
    # A little of it may still be correlated, which `told` counts.
    coarse = transformed(problem, values)
    if not coarse.noise.sigma > 0:
        return None
    return WhitePlane(coarse, shape_yx, told=told_by_neighbours(white))


def _sharpness(
    problem: NoisyPlane, kept: NDArray[np.float64], left_out: NDArray[np.float64]
) -> float:
    """Return how much more is left out of blocks of much contrast than of others.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    kept, left_out : ndarray, shape (Y, X, samples)
        The two parts of the plane.
    """
    smooth = uniform_filter(kept, (5, 5, 0))
    variance = np.maximum(problem.variance(smooth), (0.02 * problem.noise.sigma) ** 2)
    power = _block_means(left_out**2 / variance)
    smooth = uniform_filter(kept, (3, 3, 0))
    contrast = _block_means(smooth**2) - _block_means(smooth) ** 2
    contrast /= _block_means(variance)
    order = np.argsort(contrast, axis=None)
    least = power.ravel()[order[: int(_SMOOTH * len(order))]].mean()
    most = power.ravel()[order[-max(int(_SHARP * len(order)), 1) :]].mean()
    return float(most / max(least, _TINY))


def _block_means(plane_yxs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the means of all whole blocks, (rows, columns, samples)."""
    rows, columns = (size // _BLOCK for size in plane_yxs.shape[:2])
    whole = plane_yxs[: rows * _BLOCK, : columns * _BLOCK]
    blocks = whole.reshape(rows, _BLOCK, columns, _BLOCK, -1)
    return np.asarray(blocks.mean(axis=(1, 3)))
