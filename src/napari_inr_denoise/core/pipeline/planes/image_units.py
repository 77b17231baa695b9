"""Results of a plane that was divided to even out its noise, in the image's units."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep
from napari_inr_denoise.core.ensemble.quality import Quality, judge
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.warning import PlaneWarning

_UNCHANGED = {StopReason.NO_NOISE, StopReason.TOO_FEW_PIXELS, StopReason.NON_FINITE}
"""Reasons of a result that is the noisy plane."""
_OF_IMAGE = {PlaneWarning.MIXED_LEVELS, PlaneWarning.GRAIN_KEPT}
"""Warnings that only the plane as it was read gives cause to."""


def in_image_units(
    problem: NoisyPlane, result: FitResult
) -> tuple[NoisyPlane, FitResult]:
    """Return a plane and its result in the image's units.

    Parameters
    ----------
    problem : NoisyPlane
        The plane as it was denoised. One that was not divided is returned as it is.
    result : FitResult
        Its result.

    Returns
    -------
    problem : NoisyPlane
        The plane as it was read.
    result : FitResult
        Its result. Verdict and whiteness are those of the divided plane, where all
        places count alike.
    """
    original = problem.original
    if original is None or original.level is None:
        return problem, result
    if result.reason in _UNCHANGED:
        same = original.measured_yxs.astype(np.float32)
        return original, replace(result, plane_yxs=same)
    plane_yxs = problem.restored(result.plane_yxs)
    known, scale = result.uncertainty_yxs, original.level.scale_yx[..., None]
    restored = replace(
        result,
        plane_yxs=plane_yxs,
        residual_rms=original.residual_rms(plane_yxs),
        uncertainty_yxs=None
        if known is None
        else np.asarray(known * scale, dtype=np.float32),
    )
    if result.quality is None:
        return original, restored
    quality = _quality(original, plane_yxs, result.quality)
    return original, replace(restored, quality=quality)


def _quality(
    original: NoisyPlane, plane_yxs: NDArray[np.float32], even: Quality
) -> Quality:
    """Return the quality in the image's units, given that of the divided plane."""
    error = _error(original, even.held_out_error)
    found = judge(original, plane_yxs, error)
    told = {*even.warnings, *(_OF_IMAGE & set(found.warnings))}
    return replace(
        found,
        whiteness=even.whiteness,
        verdict=even.verdict,
        warnings=tuple(warning for warning in PlaneWarning if warning in told),
    )


def step_in_image_units(problem: NoisyPlane, step: FitStep) -> FitStep:
    """Return a step of the fit of a plane in the image's units.

    Parameters
    ----------
    problem : NoisyPlane
        The plane as it is denoised.
    step : FitStep
        A step of its fit.
    """
    original, best = in_image_units(problem, step.best)
    if original is problem:
        return step
    return replace(
        step,
        residual_rms=best.residual_rms,
        noise=original.noise,
        best=best,
        estimated_error=_error(original, step.estimated_error),
    )


def _error(original: NoisyPlane, error: float | None) -> float | None:
    """Return an error of the divided plane in the image's units."""
    if error is None or original.level is None:
        return None
    return error * original.level.typical_scale(original.fitted_yx)
