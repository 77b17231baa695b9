"""Limits on a result: it must not add or remove more than the noise can explain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.filters.guided_filter import window_means
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_WINDOW = 32
"""Side, in pixels, of the windows in which the residual is compared with the noise."""
_TOLERANCE = 1.5
"""Residual variance allowed, as a multiple of the estimated noise variance."""
_BEYOND_SIGMAS = 3.0
"""Distance by which a result may exceed the range of the noisy values, in sigma."""


def keep_in_range(
    problem: NoisyPlane, plane_yxs: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Clip a result to the range of the noisy values, extended by 3 sigma.

    A network with too little training data, or a SIREN that overshoots near a single
    bright pixel, can exceed this range by far.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise; at least one pixel must be fitted.
    plane_yxs : ndarray, shape (Y, X, samples)
        The result. NaN stays NaN.

    Returns
    -------
    ndarray of float32, shape (Y, X, samples)
        The clipped result. The limits are separate for each sample.
    """
    return np.asarray(np.clip(plane_yxs, *range_of(problem)), dtype=np.float32)


def range_of(problem: NoisyPlane) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lower and upper limit that `keep_in_range` applies.

    Both have one value per sample, in the image's units.
    """
    values = problem.plane_yxs[problem.fitted_yx]
    beyond, limits = _BEYOND_SIGMAS * problem.noise.sigma, np.finfo(np.float32)
    low = np.maximum(values.min(axis=0) - beyond, limits.min)
    return low, np.minimum(values.max(axis=0) + beyond, limits.max)


def keep_structure(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    divergence_yxs: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Restore, in each window, what was removed beyond the noise.

    The residual of a good result has the variance of the noise, minus the noise that
    is left in the result. Where the variance is clearly larger, structure was removed
    as well. There the result is moved towards the noisy image, by the amount that
    minimizes the risk (James and Stein). An image without noise is returned unchanged.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    plane_yxs, divergence_yxs : ndarray of float32, shape (Y, X, samples)
        The result and its divergence (see `Candidate`).

    Returns
    -------
    plane_yxs, divergence_yxs : ndarray of float32, shape (Y, X, samples)
        The limited result and its divergence.
    """
    removed = problem.plane_yxs - plane_yxs
    counted = problem.fitted_yx[..., None]
    explained = problem.variance(plane_yxs) * (1 - divergence_yxs)
    found, allowed = (
        np.maximum(window_means(np.where(counted, power, 0.0), _WINDOW), 0.0)
        for power in (removed**2, _TOLERANCE * explained)
    )
    # Where the residual is zero, nothing can be restored.
    share = np.minimum(allowed, found) / np.maximum(found, np.finfo(float).tiny)
    share = np.where((found > allowed) & counted, share, 1.0)
    kept = plane_yxs + (1 - share) * removed
    left = 1 - share * (1 - divergence_yxs)
    return kept.astype(np.float32), left.astype(np.float32)
