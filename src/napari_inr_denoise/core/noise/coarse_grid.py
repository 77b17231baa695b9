"""A coarser grid for planes with more pixels than their noise and structure need.

Where the colours of a camera were interpolated, or a plane was enlarged, turned or
shifted by parts of a pixel, neighbouring pixels share noise. Below some frequency its
power is nevertheless the same everywhere, and above it is little of noise and of
structure. On a grid that keeps the lower frequencies alone the noise is white: nothing
must be hidden from a network but the pixel itself, and Stein's risk and similar patches
can be used.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn
from scipy.ndimage import (
    distance_transform_edt,
    map_coordinates,
    uniform_filter,
)

from napari_inr_denoise.core.noise.correlated.spectrum import (
    NoiseSpectrum,
    measure_spectrum,
)
from napari_inr_denoise.core.noise.estimate import examine_white
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

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
_MOST_MISSING = 0.01
"""Largest share of pixels without a value, which are filled in from those around."""
_TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class CoarseGrid:
    """A plane on a coarser grid, on which its noise is white.

    Attributes
    ----------
    problem : NoisyPlane
        The coarse plane and its noise, in the image's units.
    shape_yx : tuple of int
        Rows and columns of the plane itself.
    told : float
        Share of the noise variance of a coarse pixel that the pixels around it tell,
        as the noise is not quite white. A network takes that share for structure.
    """

    problem: NoisyPlane = field(repr=False)
    shape_yx: tuple[int, int]
    told: float

    def enlarged(self, plane_yxs: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return a coarse plane on the grid of the plane itself, band-limited."""
        return _resampled(plane_yxs, self.shape_yx).astype(np.float32)

    def enlarged_std(self, std_yxs: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return standard deviations of a coarse plane, interpolated linearly.

        Band-limited interpolation keeps the standard deviation of an error.
        """
        places = np.meshgrid(
            *(
                (np.arange(size) + 0.5) * coarse / size - 0.5
                for size, coarse in zip(self.shape_yx, std_yxs.shape[:2], strict=True)
            ),
            indexing="ij",
        )
        samples = [
            map_coordinates(std_yxs[..., k], places, order=1, mode="nearest")
            for k in range(std_yxs.shape[-1])
        ]
        return np.stack(samples, axis=-1).astype(np.float32)


def coarse_grid(problem: NoisyPlane) -> CoarseGrid | None:
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
    missing = 1 - float(problem.fitted_yx.mean())
    few = min(height, width) < _SMALLEST or missing > _MOST_MISSING
    if few or problem.regions or not problem.noise.correlated:
        return None
    filled = _filled(problem.plane_yxs, problem.fitted_yx)
    values = _resampled(filled, (height, width))
    known = np.ones((height, width), dtype=bool)
    spectra = [measure_spectrum(values[..., k], known) for k in range(values.shape[-1])]
    white = [one for one in spectra if one is not None and one.fall >= _FLAT]
    if len(white) < len(spectra):
        return None
    kept = _resampled(values, shape_yx)
    if _sharpness(problem, kept, filled - kept) > _MOST_SHARP:
        return None
    # A little of it may still be correlated, which `told` counts.
    noise, curves = examine_white(values, known)
    if not noise.sigma > 0:
        return None
    coarse = replace(
        problem,
        plane_yxs=values,
        valid_yx=known,
        fitted_yx=known,
        noise=noise,
        curves=curves,
        spacing_yx=(problem.spacing_yx[0] / SCALE, problem.spacing_yx[1] / SCALE),
        structured_yxs=None,
        compressed_yxs=None,
        fill_share=0.0,
        original=None,
    )
    told = float(np.mean([_told(one) for one in white]))
    return CoarseGrid(coarse, shape_yx, told)


def _told(spectrum: NoiseSpectrum) -> float:
    """Return the share of a pixel's noise variance that the eight around it tell.

    The share that the best linear prediction explains. Structure that is left in the
    spectrum adds to it.
    """
    around = [place for place in product((-1, 0, 1), repeat=2) if any(place)]
    own = np.array([spectrum.correlation(y, x) for y, x in around])
    table = [[spectrum.correlation(y - v, x - u) for v, u in around] for y, x in around]
    weights = np.linalg.lstsq(np.array(table), own, rcond=1e-3)[0]
    return float(np.clip(own @ weights, 0.0, 1.0))


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


def _resampled(
    plane_yxs: NDArray[np.floating], shape_yx: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return a plane of another shape with the same cosine frequencies.

    Frequencies that the new shape does not have are left out. The mean stays as it is.
    """
    waves = dctn(plane_yxs.astype(np.float64), axes=(0, 1), norm="ortho")
    height, width = (min(pair) for pair in zip(waves.shape, shape_yx, strict=False))
    found = np.zeros((*shape_yx, plane_yxs.shape[-1]))
    found[:height, :width] = waves[:height, :width]
    found *= np.sqrt(found.size / plane_yxs.size)
    return np.asarray(idctn(found, axes=(0, 1), norm="ortho"))


def _filled(
    plane_yxs: NDArray[np.float64], known_yx: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the plane, the unknown pixels with the mean around the next known one."""
    if known_yx.all():
        return plane_yxs
    counts = known_yx[..., None].astype(np.float64)
    sums, weights = (
        uniform_filter(one, (3, 3, 0)) for one in (plane_yxs * counts, counts)
    )
    nearest = distance_transform_edt(
        ~known_yx, return_distances=False, return_indices=True
    )
    around = (sums / np.maximum(weights, np.finfo(float).eps))[tuple(nearest)]
    return np.where(known_yx[..., None], plane_yxs, around)
