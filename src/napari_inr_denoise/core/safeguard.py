"""Nothing is removed that the noise cannot account for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from napari_inr_denoise.core.problem import FitProblem

_WINDOW = 32
"""Side, in pixels, of the windows in which what was removed is compared with noise."""
_TOLERANCE = 1.5
"""How many times the noise's variance may be removed: the noise is only estimated."""


def keep_structure(
    problem: FitProblem,
    plane_yxs: NDArray[np.float32],
    own_share_yxs: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Take back, window by window, what was removed beyond the noise.

    Of what a good result removes the variance is that of the noise, less what is
    left in. Where it is clearly more, structure went too: the result is moved
    towards the noisy image, by as much as makes the risk least (James and Stein). An
    image without noise comes back as it was.

    Parameters
    ----------
    problem : FitProblem
        The noisy plane and its noise.
    plane_yxs, own_share_yxs : ndarray of float32, shape (Y, X, samples)
        The result, and how much of each pixel's own noise is left in it.

    Returns
    -------
    plane_yxs, own_share_yxs : ndarray of float32, shape (Y, X, samples)
    """
    removed = problem.plane_yxs - plane_yxs
    counted = problem.fitted_yx[..., None]
    explained = problem.variance(plane_yxs) * (1 - own_share_yxs)
    found, allowed = (
        _window_means(np.where(counted, power, 0.0))
        for power in (removed**2, _TOLERANCE * explained)
    )
    # Where nothing was removed nothing is to be taken back.
    share = np.minimum(allowed, found) / np.maximum(found, np.finfo(float).tiny)
    share = np.where((found > allowed) & counted, share, 1.0)
    kept = plane_yxs + (1 - share) * removed
    left = 1 - share * (1 - own_share_yxs)
    return kept.astype(np.float32), left.astype(np.float32)


def _window_means(plane_yxs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over the window around each pixel, sample by sample."""
    means: NDArray[np.float64] = uniform_filter(plane_yxs, (_WINDOW, _WINDOW, 1))
    return np.maximum(means, 0.0)
