"""Denoising of a plane as it is, or transformed so that its noise is white."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.filters.post_filters import Estimate
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitSteps
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.white.white_plane import WhitePlane
from napari_inr_denoise.core.noise.white.whitened import whitened
from napari_inr_denoise.core.pipeline.planes.plane import (
    Combined,
    limited_result,
    plane_steps,
)
from napari_inr_denoise.core.settings import SIREN, DenoiseSettings


def steps_in_white_noise(
    problem: NoisyPlane,
    settings: DenoiseSettings,
    device: torch.device,
    *,
    previews: bool = True,
) -> FitSteps:
    """Denoise a plane, transformed where its noise is white only then.

    Parameters, steps and result are those of `plane_steps`. The published method has
    the plane as it is.
    """
    published = settings.candidate_names == (SIREN,)
    white = None if published else whitened(problem)
    if white is None:
        return (yield from plane_steps(problem, settings, device, previews=previews))
    steps = plane_steps(white.problem, settings, device, previews=previews)
    shown, best = None, None
    for step in (run := GeneratorResult(steps)):
        if best is None or step.best is not shown:
            shown, best = step.best, _restored(problem, white, step.best)
        yield replace(
            step,
            residual_rms=best.residual_rms,
            noise=problem.noise,
            best=best,
            estimated_error=white.restored_error(
                step.estimated_error, step.best.plane_yxs
            ),
        )
    return _finished(problem, white, run.result, device)


def _restored(problem: NoisyPlane, white: WhitePlane, found: FitResult) -> FitResult:
    """Return a result of the transformed plane as one of the plane itself."""
    plane_yxs, std_yxs = white.restored(found.plane_yxs), found.uncertainty_yxs
    if std_yxs is not None:
        std_yxs = white.restored_std(std_yxs, found.plane_yxs)
    return replace(
        found,
        plane_yxs=plane_yxs,
        residual_rms=problem.residual_rms(plane_yxs),
        uncertainty_yxs=std_yxs,
    )


def _finished(
    problem: NoisyPlane, white: WhitePlane, of_white: FitResult, device: torch.device
) -> FitResult:
    """Return the last result with its limits and its quality.

    On a coarser grid the error is that of the transformed plane, whose risk is valid,
    if it is the larger one, and what its noise is short of white. With a flat spectrum
    it follows from the uncertainty: the risk counts each frequency of the error alike.
    """
    result = _restored(problem, white, of_white)
    if of_white.quality is None or result.uncertainty_yxs is None:
        return result
    left = np.square(result.uncertainty_yxs / problem.positive_std(result.plane_yxs))
    estimate = Estimate(result.plane_yxs, np.minimum(left, 1.0).astype(np.float32))
    combined = Combined(
        estimate,
        result.weights,
        result.steps,
        result.reason,
        noise_level_step=result.noise_level_step,
    )
    found = limited_result(problem, combined, problem.fitted_yx, device)
    if found.quality is None or found.uncertainty_yxs is None:
        return found
    if white.amplitude_yxs is not None:
        return found
    of_risk = white.restored_error(of_white.quality.held_out_error, of_white.plane_yxs)
    error = max(of_risk or 0.0, found.quality.held_out_error or 0.0)
    return replace(found, quality=replace(found.quality, held_out_error=error))
