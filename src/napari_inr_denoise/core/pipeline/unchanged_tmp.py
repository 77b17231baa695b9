"""A plane in which there is nothing to fit."""

from __future__ import annotations

import math

import numpy as np

from napari_inr_denoise.core.candidates.siren import FitResult
from napari_inr_denoise.core.noise.noisy_plane import FitProblem
from napari_inr_denoise.core.report.stop_reason import StopReason

_FEWEST_VALID = 16
"""Fewer valid pixels than this say nothing about the noise."""
_NO_NOISE = float(np.finfo(np.float32).eps)
"""Noise below this share of the largest value that is fitted is lost in float32."""


def unchanged_result(problem: FitProblem) -> FitResult | None:
    """Return the plane as it is if there is nothing to fit, or None.

    Parameters
    ----------
    problem : FitProblem
        The noisy plane, or a part of one, and its noise.

    Returns
    -------
    FitResult or None
        Its reason is TOO_FEW_PIXELS or NO_NOISE.
    """
    fitted, sigma = problem.fitted_yx, problem.noise.sigma
    if fitted.sum() < _FEWEST_VALID or math.isnan(sigma):
        reason = StopReason.TOO_FEW_PIXELS
    elif sigma <= _NO_NOISE * np.abs(problem.plane_yxs[fitted]).max():
        reason = StopReason.NO_NOISE
    else:
        return None
    return FitResult(problem.plane_yxs.astype(np.float32), 0.0, 0, reason)
