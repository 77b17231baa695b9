"""Nothing is removed, and nothing added, that the noise cannot account for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.guided_filter import window_means
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_WINDOW = 32
"""Side, in pixels, of the windows in which what was removed is compared with noise."""
_TOLERANCE = 1.5
"""How many times the noise's variance may be removed: the noise is only estimated."""
_BEYOND_SIGMAS = 3.0
"""How far the truth may lie outside of all noisy values."""


def keep_in_range(
    problem: NoisyPlane, plane_yxs: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return a result cut off where it lies clearly outside of all that was measured.

    A network that has seen too little, or whose sines swing over a single bright
    pixel, may go far beyond.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane, at least one pixel that counts, and the noise.
    plane_yxs : ndarray, shape (Y, X, samples)
        The result; a value that is not finite stays.

    Returns
    -------
    ndarray of float32, shape (Y, X, samples)
        Between the least and the largest value of each sample, less and plus three
        times the noise level.
    """
    return np.asarray(np.clip(plane_yxs, *range_of(problem)), dtype=np.float32)


def range_of(problem: NoisyPlane) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the least and the largest value that a result may have, sample by sample.

    In the image's units; as for `keep_in_range`.
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
    """Take back, window by window, what was removed beyond the noise.

    Of what a good result removes the variance is that of the noise, less what is
    left in. Where it is clearly more, structure went too: the result is moved
    towards the noisy image, by as much as makes the risk least (James and Stein). An
    image without noise comes back as it was.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    plane_yxs, divergence_yxs : ndarray of float32, shape (Y, X, samples)
        The result, and how much of each pixel's own noise is left in it.

    Returns
    -------
    plane_yxs, divergence_yxs : ndarray of float32, shape (Y, X, samples)
    """
    removed = problem.plane_yxs - plane_yxs
    counted = problem.fitted_yx[..., None]
    explained = problem.variance(plane_yxs) * (1 - divergence_yxs)
    found, allowed = (
        np.maximum(window_means(np.where(counted, power, 0.0), _WINDOW), 0.0)
        for power in (removed**2, _TOLERANCE * explained)
    )
    # Where nothing was removed nothing is to be taken back.
    share = np.minimum(allowed, found) / np.maximum(found, np.finfo(float).tiny)
    share = np.where((found > allowed) & counted, share, 1.0)
    kept = plane_yxs + (1 - share) * removed
    left = 1 - share * (1 - divergence_yxs)
    return kept.astype(np.float32), left.astype(np.float32)
