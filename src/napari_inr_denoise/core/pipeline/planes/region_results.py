"""Results of a plane whose parts differ in noise, in the units of the image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.stop_rules import steps_in_all


def joined_regions(
    problem: NoisyPlane, parts: Sequence[NoisyPlane], done: Sequence[FitResult]
) -> FitResult:
    """Return the results of the first regions as one result.

    Parameters
    ----------
    problem : NoisyPlane
        The whole plane, with its regions.
    parts : sequence of NoisyPlane
        The plane as each region sees it, in the order of the regions.
    done : sequence of FitResult
        Results of the first regions; the pixels of the others stay noisy.

    Returns
    -------
    FitResult
        In the units of the image, with the reason of the last region that was fitted,
        or CALLER if the run was stopped in the last one.
    """
    plane_yxs = problem.measured_yxs.astype(np.float32)
    known_yxs = np.full_like(plane_yxs, np.nan)
    names: dict[str, float] = {}
    for region, part, result in zip(problem.regions, parts, done, strict=False):
        plane_yxs[region.mask_yx] = result.plane_yxs[region.mask_yx]
        if result.uncertainty_yxs is not None:
            known_yxs[region.mask_yx] = result.uncertainty_yxs[region.mask_yx]
        share = part.fitted_yx.sum() / problem.fitted_yx.sum()
        for name, weight in result.weights:
            names[name] = names.get(name, 0.0) + float(weight * share)
    reached = steps_in_all(one.noise_level_step for one in done if one.steps)
    return FitResult(
        plane_yxs,
        problem.residual_rms(plane_yxs),
        sum(one.steps for one in done),
        _reason(done),
        weights=tuple((name, round(weight, 4)) for name, weight in names.items()),
        uncertainty_yxs=known_yxs if np.isfinite(known_yxs).any() else None,
        noise_level_step=reached,
    )


def _reason(done: Sequence[FitResult]) -> StopReason:
    """Return the reason to tell: regions without noise say nothing of the others."""
    last = done[-1].reason
    fitted = [one.reason for one in done if one.steps]
    return last if last is StopReason.CALLER or not fitted else fitted[-1]


def joined_error(
    parts: Sequence[NoisyPlane], done: Sequence[FitResult]
) -> float | None:
    """Return the estimated error over all regions.

    Parameters
    ----------
    parts, done
        As for `joined_regions`; one result for each part.

    Returns
    -------
    float or None
        Root mean square, in the units of the image; None if one is not known.
    """
    errors = [one.quality.held_out_error if one.quality else None for one in done]
    known = [one for one in errors if one is not None]
    if len(known) < len(done):
        return None
    counts = [part.fitted_yx.sum() for part in parts]
    return math.sqrt(float(np.average(np.square(known), weights=counts)))
