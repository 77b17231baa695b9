"""Planes that cannot or need not be denoised."""

from __future__ import annotations

import math

import numpy as np

from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason

_FEWEST_VALID = 16
"""Smallest number of valid pixels from which the noise can be estimated."""
_NO_NOISE = float(np.finfo(np.float32).eps)
"""Noise below this fraction of the largest fitted value is lost in float32."""


def passthrough_result(problem: NoisyPlane) -> FitResult | None:
    """Return the plane unchanged if it cannot or need not be denoised, else None.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane or tile, and its noise.

    Returns
    -------
    FitResult or None
        A result with the reason TOO_FEW_PIXELS or NO_NOISE.
    """
    fitted, sigma = problem.fitted_yx, problem.noise.sigma
    if fitted.sum() < _FEWEST_VALID or math.isnan(sigma):
        reason = StopReason.TOO_FEW_PIXELS
    elif sigma <= _NO_NOISE * np.abs(problem.plane_yxs[fitted]).max():
        reason = StopReason.NO_NOISE
    else:
        return None
    return FitResult(problem.measured_yxs.astype(np.float32), 0.0, 0, reason)
