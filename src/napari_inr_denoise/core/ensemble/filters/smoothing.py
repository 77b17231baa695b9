"""Smoothing of contrast that is smaller than the estimated error of a result."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.ensemble.filters.guided_filter import WINDOW, guided
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.ensemble.quality import random_error
from napari_inr_denoise.core.ensemble.weighting import mean_of, weigh
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason

_ERRORS = 0.7
"""Contrast that is smoothed, in units of the pixel's error; 1 and 1.4 did worse."""
_NEIGHBOUR_DIVERGENCE = 0.5
"""Share of a pixel's noise in the predictions of its neighbours, summed over a window.

The neighbours' predictions depend on the pixel, and the smoothed pixel is partly their
mean. Predictions that preserve the mean have at most 1 in all; part of it lies outside
the window.
"""
_CONTRAST_WIDTH = 2.0
"""Standard deviation, in pixels, of the blur that detail is measured against."""


def smoothed(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    divergence_yxs: NDArray[np.float32],
    held_out_yx: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Return the weighted mean of a result and its guided-filtered version.

    The weights minimize the risk on the held-out pixels, so that the filter gets
    almost no weight where faint contrast is real. PSNR on ten real frames rises by
    0.15 dB (`fast`) and 0.1 dB (`auto`).

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise. For correlated noise the result is returned
        unchanged: the filter would take the correlated error for structure, and
        held-out pixels do not give the risk.
    plane_yxs, divergence_yxs : ndarray of float32, shape (Y, X, samples)
        The result and its divergence (see `Candidate`).
    held_out_yx : ndarray of bool, shape (Y, X)
        Pixels that no fit was trained on.
    """
    if problem.noise.correlated:
        return plane_yxs
    # float64, because the square of a large value can overflow float32.
    error = random_error(problem, plane_yxs, divergence_yxs).astype(np.float64)
    smooth_yxs, slope_yxs = guided(plane_yxs, (_ERRORS * error) ** 2)
    smooth_divergence_yxs = (
        slope_yxs * divergence_yxs + _NEIGHBOUR_DIVERGENCE * (1 - slope_yxs) / WINDOW**2
    ).astype(np.float32)
    both = [
        Candidate(name, plane, divergence, 0, StopReason.TRAINED)
        for name, plane, divergence in (
            ("unfiltered", plane_yxs, divergence_yxs),
            ("smooth", smooth_yxs, smooth_divergence_yxs),
        )
    ]
    mean_yxs, _ = mean_of(both, weigh(both, problem, held_out_yx))
    return mean_yxs


def with_contrast_of(
    plane_yxs: NDArray[np.float32],
    smooth_yxs: NDArray[np.float32],
    fitted_yx: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Return a smoothed result with the contrast of the result before.

    The guided filter flattens faint structure together with the noise. A network that
    was trained on many pixels has the right contrast on average, so that the detail of
    the smoothed result is amplified until it explains the network's.

    Parameters
    ----------
    plane_yxs, smooth_yxs : ndarray of float32, shape (Y, X, samples)
        The result before and after smoothing.
    fitted_yx : ndarray of bool, shape (Y, X)
        Pixels that count.
    """
    width = (_CONTRAST_WIDTH, _CONTRAST_WIDTH, 0)
    detail = smooth_yxs - gaussian_filter(smooth_yxs, width)
    counted = detail[fitted_yx].astype(np.float64)
    power = np.square(counted).sum()
    if not power > 0:
        return smooth_yxs
    lost = ((plane_yxs - smooth_yxs)[fitted_yx] * counted).sum() / power
    return np.asarray(smooth_yxs + max(lost, 0.0) * detail, dtype=np.float32)
