"""Regular structure of a plane: what far pixels tell about each pixel.

Noise, also if it is correlated, reaches a few pixels. What lies farther away tells
nothing about it. Stripes, gratings, rings and smooth curves go on, and are predicted
from there. So the error of any such prediction is at least the noise: a noise level
above it was measured on structure.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.special import chdtr, chdtrc

from napari_inr_denoise.core.noise.correlated.spectrum_patches import SIDE
from napari_inr_denoise.core.noise.level.level_function import fill_invalid

_FURTHEST = SIDE + 1
"""Distance of the farthest of the pixels that predict, along the rows or columns. The
nearest are as far away as the spectrum of the noise reaches."""
_BLOCK = 24
"""Side of the blocks of a chessboard. What predicts one half is learned on the other:
what was learned from noise by chance does not help there."""
_SAMPLES = 6000
_FEWEST_SAMPLES = 500
_RIDGE = 1e-7
"""Share of the mean power that is added to the diagonal, against rounding."""
_LEAST_ERROR = 0.83
"""Squared error over the noise variance below which structure passed for noise. Of 150
planes of 64 to 256 pixels with correlated noise, the least was 0.97; of 22 planes of
stripes, grids, rings and waves that passed for noise, the largest was 0.70."""
_LIMIT = 4.0
_MEAN = float(chdtr(3, _LIMIT) + _LIMIT * chdtrc(1, _LIMIT))
"""Mean square of a normal variable of variance 1, with squares limited to the first."""
_TINY = 1e-30

_OFFSETS = np.array(
    [
        pair
        for reach in range(SIDE, _FURTHEST + 1)
        for k in range(-reach, reach)
        for pair in ((reach, k), (k, -reach))
    ]
)
"""One of each pair of opposite pixels; both predict alike."""


def regular_structure(
    plane_yx: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
    variance_yx: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """Predict a plane from far pixels, if the noise is said to be above the error.

    Parameters
    ----------
    plane_yx : ndarray, shape (Y, X)
        Intensities.
    valid_yx : ndarray of bool, shape (Y, X)
        Invalid pixels are filled in, and not used for the error.
    variance_yx : ndarray, shape (Y, X)
        Variance of the noise at each pixel, as it was measured.

    Returns
    -------
    structure_yx : ndarray, shape (Y, X)
        The prediction.
    known_yx : ndarray of bool, shape (Y, X)
        Where it is valid: not at the borders of the plane.
    None
        Instead of both: what was measured can be noise, or the plane is too small.
    """
    known = np.zeros_like(valid_yx)
    inside = (slice(_FURTHEST, -_FURTHEST),) * 2
    known[inside] = valid_yx[inside]
    # At random: what holds on every second pixel alone must not pass for all.
    share = _SAMPLES / max(int(known.sum()), 1)
    chosen = known & (np.random.default_rng(0).random(known.shape) < share)
    first = np.indices(known.shape) // _BLOCK
    first = np.asarray((first[0] + first[1]) % 2 == 0)
    halves = [np.nonzero(chosen & half) for half in (first, ~first)]
    if min(len(rows) for rows, _ in halves) < _FEWEST_SAMPLES:
        return None
    filled = fill_invalid(plane_yx, valid_yx).astype(np.float64)
    centre = float(filled.mean())
    filled -= centre
    values = [filled[places] for places in halves]
    far = [_far(filled, places) for places in halves]
    weights = [_fit(*of_half) for of_half in zip(far, values, strict=True)]
    errors = np.concatenate(
        [
            one - np.einsum("nk,k->n", other, weight)
            for one, other, weight in zip(values, far, weights[::-1], strict=True)
        ]
    )
    variances = np.concatenate([variance_yx[places] for places in halves])
    if _over_noise(errors, variances) > _LEAST_ERROR:
        return None
    of_first, of_second = (_predicted(filled, weight) for weight in weights)
    return np.where(first, of_second, of_first) + centre, known


def _over_noise(errors: NDArray[np.float64], variances: NDArray[np.float64]) -> float:
    """Return the mean squared error over a noise variance; 1 or more for noise.

    Large errors are limited, so that edges do not hide the rest of a plane.
    """
    relative = errors**2 / np.maximum(variances, _TINY)
    return float(np.minimum(relative, _LIMIT).mean()) / _MEAN


def _far(
    plane_yx: NDArray[np.float64], places: tuple[NDArray[np.intp], ...]
) -> NDArray[np.float64]:
    """Return the means of pairs of far pixels; shape (N, pairs)."""
    rows, columns = (one[:, None] for one in places)
    down, right = _OFFSETS.T
    pairs = plane_yx[rows + down, columns + right]
    return np.asarray((pairs + plane_yx[rows - down, columns - right]) / 2)


def _fit(far: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights of the pairs, by least squares."""
    # Without BLAS, which would start threads.
    products = np.einsum("ni,nj->ij", far, far)
    own = np.einsum("ni,n->i", far, values)
    products[np.diag_indices_from(products)] += _RIDGE * products.trace() / len(own)
    return np.asarray(np.linalg.lstsq(products, own, rcond=None)[0])


def _predicted(
    plane_yx: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return what the weights predict; wrong at the borders."""
    kernel = np.zeros((2 * _FURTHEST + 1,) * 2)
    down, right = _OFFSETS.T
    for sign in (1, -1):
        kernel[_FURTHEST + sign * down, _FURTHEST + sign * right] = weights / 2
    # Pixels wrap around at the borders alone, where nothing is predicted.
    shape = [next_fast_len(side, real=True) for side in plane_yx.shape]
    product = rfft2(plane_yx, shape) * rfft2(kernel, shape)
    shifted = np.roll(irfft2(product, shape), (-_FURTHEST, -_FURTHEST), (0, 1))
    return np.asarray(shifted[: plane_yx.shape[0], : plane_yx.shape[1]])
