"""Denoising of a plane on the grid that suits it: its own, or a coarser one."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.filters.post_filters import Estimate
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitSteps
from napari_inr_denoise.core.noise.coarse_grid import CoarseGrid, coarse_grid
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.planes.plane import (
    Combined,
    limited_result,
    plane_steps,
)
from napari_inr_denoise.core.settings import SIREN, DenoiseSettings


def steps_on_best_grid(
    problem: NoisyPlane,
    settings: DenoiseSettings,
    device: torch.device,
    *,
    previews: bool = True,
) -> FitSteps:
    """Denoise a plane, on a coarser grid where its noise is white only there.

    Parameters, steps and result are those of `plane_steps`. The published method stays
    on the grid of the plane.
    """
    published = settings.candidate_names == (SIREN,)
    grid = None if published else coarse_grid(problem)
    if grid is None:
        return (yield from plane_steps(problem, settings, device, previews=previews))
    steps = plane_steps(grid.problem, settings, device, previews=previews)
    shown, best = None, None
    for step in (run := GeneratorResult(steps)):
        if best is None or step.best is not shown:
            shown, best = step.best, _enlarged(problem, grid, step.best)
        yield replace(
            step,
            residual_rms=best.residual_rms,
            noise=problem.noise,
            best=best,
            estimated_error=_with_told(step.estimated_error, grid),
        )
    return _finished(problem, grid, run.result, device)


def _enlarged(problem: NoisyPlane, grid: CoarseGrid, coarse: FitResult) -> FitResult:
    """Return a result of the coarse plane on the grid of the plane itself."""
    plane_yxs = grid.enlarged(coarse.plane_yxs)
    std_yxs = coarse.uncertainty_yxs
    return replace(
        coarse,
        plane_yxs=plane_yxs,
        residual_rms=problem.residual_rms(plane_yxs),
        uncertainty_yxs=None if std_yxs is None else grid.enlarged_std(std_yxs),
    )


def _with_told(error: float | None, grid: CoarseGrid) -> float | None:
    """Return an error of the coarse plane with what its noise is short of white."""
    if error is None:
        return None
    return math.hypot(error, math.sqrt(grid.told) * grid.problem.noise.sigma)


def _finished(
    problem: NoisyPlane, grid: CoarseGrid, coarse: FitResult, device: torch.device
) -> FitResult:
    """Return the last result with its limits and its quality.

    The error is that of the coarse plane, whose risk is valid, if it is the larger one,
    and what its noise is short of white.
    """
    result = _enlarged(problem, grid, coarse)
    if coarse.quality is None or result.uncertainty_yxs is None:
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
    told_yxs = np.sqrt(grid.told * grid.problem.variance(coarse.plane_yxs))
    if found.quality is None or found.uncertainty_yxs is None:
        return found
    errors = coarse.quality.held_out_error, found.quality.held_out_error
    error = _with_told(max(one or 0.0 for one in errors), grid)
    return replace(
        found,
        quality=replace(found.quality, held_out_error=error),
        uncertainty_yxs=np.hypot(found.uncertainty_yxs, grid.enlarged_std(told_yxs)),
    )
