"""Denoising of one plane: fit the candidates, combine them, estimate the error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.base import CandidateSteps
from napari_inr_denoise.core.candidates.registry import suitable_models
from napari_inr_denoise.core.candidates.siren import fit_steps
from napari_inr_denoise.core.candidates.training import as_result
from napari_inr_denoise.core.compute.concurrency import fit_concurrently
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.filters.limits import keep_structure
from napari_inr_denoise.core.ensemble.filters.post_filters import (
    Estimate,
    FilterProblem,
    apply_limits,
    apply_pilot_filters,
    apply_post_filters,
)
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep, FitSteps
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.ensemble.quality import estimated_error, judge, uncertainty
from napari_inr_denoise.core.ensemble.systematic import cut_off_bias
from napari_inr_denoise.core.ensemble.weighting import (
    FEWEST,
    flat_candidate,
    hold_out,
    is_flat,
    mean_of,
    weigh,
)
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.planes.passthrough import passthrough_result
from napari_inr_denoise.core.pipeline.planes.region_results import (
    joined_error,
    joined_regions,
)
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.stop_rules import steps_in_all
from napari_inr_denoise.core.report.warning import PlaneWarning
from napari_inr_denoise.core.settings import SIREN, DenoiseSettings


def plane_steps(
    problem: NoisyPlane,
    settings: DenoiseSettings,
    device: torch.device,
    *,
    previews: bool = True,
) -> FitSteps:
    """Denoise a plane with the candidates that the settings name.

    SIREN alone is the published method: it is fitted to every pixel and stops at the
    noise level. All other candidates are fitted without the held-out pixels, on which
    their weights and the error are estimated. For correlated noise see
    `suitable_models`.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane, with enough valid pixels and a noise level above 0. One whose
        level changes smoothly must be divided by its map before: see `image_units`.
    settings : DenoiseSettings
        The candidates and their parameters.
    device : torch.device
        Where to compute.
    previews : bool
        Whether somebody looks at the plane before the end; see `CandidateModel.fit`.

    Yields
    ------
    FitStep
        Often enough for a caller to stop within about a second.

    Returns
    -------
    FitResult
        With its quality, and with `uncertainty_yxs` if a blind-spot network took part.
    """
    if settings.candidate_names == (SIREN,):
        result = yield from fit_steps(problem, settings, device)
        result = replace(
            result,
            weights=((SIREN, 1.0),),
            quality=judge(problem, result.plane_yxs, None),
        )
        return _no_worse(problem, result)
    if problem.regions:
        return (yield from _by_region(problem, settings, device, previews))
    models = suitable_models(settings, problem)
    fits = [partial(model.fit, previews=previews) for model in models]
    return (yield from _combined(fits, problem, settings, device))


_WORSE = 2.0
"""Mean square of what was removed, over the noise variance, from which a result is
worse than the input: at least as much structure as noise was removed."""


def _no_worse(problem: NoisyPlane, result: FitResult) -> FitResult:
    """Return the result, or the noisy plane if the result is worse.

    The candidates with a blind spot need no such test: `keep_structure` limits what is
    removed in every window.
    """
    if result.residual_rms**2 <= _WORSE * problem.noise.sigma**2:
        return result
    noisy = problem.measured_yxs.astype(np.float32)
    quality = judge(problem, noisy, None)
    told = *quality.warnings, PlaneWarning.INPUT_RETURNED
    warnings = tuple(one for one in told if one is not PlaneWarning.LITTLE_REMOVED)
    return replace(
        result,
        plane_yxs=noisy,
        residual_rms=0.0,
        quality=replace(quality, warnings=warnings),
    )


def _by_region(
    problem: NoisyPlane, settings: DenoiseSettings, device: torch.device, previews: bool
) -> FitSteps:
    """Denoise the regions of a plane that differ in noise, one after the other."""
    parts = [problem.of_region(region) for region in problem.regions]
    done: list[FitResult] = []
    for part in parts:
        result = passthrough_result(part)
        if result is None:
            steps = plane_steps(part, settings, device, previews=previews)
            run = GeneratorResult(steps)
            for step in run:
                best = joined_regions(problem, parts, [*done, step.best])
                yield replace(
                    step,
                    residual_rms=best.residual_rms,
                    noise=problem.noise,
                    progress=(len(done) + step.progress) / len(parts),
                    best=best,
                )
            result = run.result
        done.append(result)
    joined = joined_regions(problem, parts, done)
    error = joined_error(parts, done)
    return replace(joined, quality=judge(problem, joined.plane_yxs, error))


def _combined(
    fits: Sequence[Callable[..., CandidateSteps]],
    problem: NoisyPlane,
    settings: DenoiseSettings,
    device: torch.device,
) -> FitSteps:
    """Fit the candidates to all but the held-out pixels, and combine them."""
    held_out = hold_out(problem.fitted_yx, settings.seed)
    targets = problem.fitted_yx & ~held_out
    done: dict[int, Candidate] = {}

    def fitted(number: int, fit: Callable[..., CandidateSteps]) -> CandidateSteps:
        done[number] = yield from fit(problem, targets, settings, device)
        return done[number]

    at_work = [fitted(number, fit) for number, fit in enumerate(fits)]
    run = GeneratorResult(fit_concurrently(at_work, device))
    newest: dict[int, FitStep] = {}
    best, known = None, 0
    for number, step in run:
        newest[number] = step
        if 0 not in newest and 0 not in done:
            continue  # early steps of the other candidates would look worse later
        # The first candidate is usually the best; the mean is shown once it is done.
        if 0 in done and len(done) > known:
            known = len(done)
            finite = [done[k] for k in sorted(done) if done[k].is_finite]
            best = _mean(problem, finite, held_out)[0] if finite else None
        yield _of_all(newest, len(fits), set(done), best)
    combined = combine_candidates(problem, run.result, held_out, device)
    return finished_result(
        problem, combined, held_out, device, rounds=settings.ridge_rounds
    )


def _of_all(
    steps: dict[int, FitStep], fits: int, over: set[int], done: FitResult | None
) -> FitStep:
    """Return the steps of several concurrent fits as one step.

    Parameters
    ----------
    steps : dict of int to FitStep
        Newest step of each fit that has begun, by its number.
    fits : int
        Total number of fits.
    over : set of int
        Numbers of the fits that have ended.
    done : FitResult or None
        Result to show instead of that of the first running fit.
    """
    best = done or steps[min(steps)].best
    return replace(
        steps[min(steps)],
        step=sum(one.step for one in steps.values()),
        max_steps=sum(one.max_steps for one in steps.values()),
        residual_rms=best.residual_rms,
        progress=sum(1.0 if k in over else one.progress for k, one in steps.items())
        / fits,
        steps_per_second=sum(
            one.steps_per_second for k, one in steps.items() if k not in over
        ),
        best=best,
    )


def _mean(
    problem: NoisyPlane, done: Sequence[Candidate], held_out_yx: NDArray[np.bool_]
) -> tuple[FitResult, NDArray[np.float32]]:
    """Return the weighted mean of the candidates and its divergence."""
    weights = weigh(done, problem, held_out_yx)
    plane_yxs, divergence_yxs = keep_structure(problem, *mean_of(done, weights))
    result = as_result(problem, plane_yxs, sum(one.steps for one in done))
    named = zip(done, weights, strict=True)
    by_name = tuple((one.name, round(float(weight), 4)) for one, weight in named)
    reached = steps_in_all(one.noise_level_step for one in done if one.steps)
    result = replace(result, weights=by_name, noise_level_step=reached)
    return result, divergence_yxs


@dataclass(frozen=True)
class Combined:
    """Mean of the candidates after the filters that need the plane alone.

    Attributes
    ----------
    estimate : Estimate
        The plane and its divergence.
    weights : tuple of (str, float)
        Weight of each candidate in the mean.
    steps : int
        Optimization steps of all candidates.
    reason : StopReason
        Why the trainings ended. NON_FINITE if no candidate has finite values; the
        estimate is the noisy plane then.
    shared : bool
        Whether the candidates were trained on several planes.
    noise_level_step : int or None
        Steps of all candidates when the residual of each was down to the noise level.
    """

    estimate: Estimate = field(repr=False)
    weights: tuple[tuple[str, float], ...]
    steps: int
    reason: StopReason
    shared: bool = False
    noise_level_step: int | None = None


def combine_candidates(
    problem: NoisyPlane,
    done: Sequence[Candidate],
    held_out_yx: NDArray[np.bool_],
    device: torch.device,
    *,
    shared: bool = False,
) -> Combined:
    """Combine candidates, and filter their mean.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    done : sequence of Candidate
        Predictions. Those with values that are not finite are left out.
    held_out_yx : ndarray of bool, shape (Y, X)
        Pixels that no candidate was trained on.
    device : torch.device
        Where to run the filters.
    shared : bool
        Whether the candidates were trained on several planes.
    """
    done = [one for one in done if one.is_finite]
    if not done:
        noisy = problem.measured_yxs.astype(np.float32)
        unchanged = Estimate(noisy, np.ones_like(noisy))
        return Combined(unchanged, (), 0, StopReason.NON_FINITE)
    if not problem.noise.correlated:
        flat = flat_candidate(problem)
        if is_flat(done, flat, problem, held_out_yx):
            done = [*done, flat]
    best, divergence_yxs = _mean(problem, done, held_out_yx)
    estimate = apply_pilot_filters(
        FilterProblem(problem, held_out_yx, device, shared=shared),
        Estimate(best.plane_yxs, divergence_yxs),
    )
    early = all(one.reason is StopReason.HELD_OUT_FLAT for one in done if one.steps)
    reason = StopReason.HELD_OUT_FLAT if early else StopReason.TRAINED
    return Combined(
        estimate, best.weights, best.steps, reason, shared, best.noise_level_step
    )


def finished_result(
    problem: NoisyPlane,
    combined: Combined,
    held_out_yx: NDArray[np.bool_],
    device: torch.device,
    beside: Sequence[tuple[NoisyPlane, Estimate]] = (),
    *,
    rounds: int = 1,
) -> FitResult:
    """Apply the last filters to a combination, and estimate the error of the result.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    combined : Combined
        Mean of its candidates.
    held_out_yx : ndarray of bool, shape (Y, X)
        Pixels that no candidate was trained on.
    device : torch.device
        Where to run the post-filters.
    beside : sequence of (NoisyPlane, Estimate)
        Planes beside it in a stack; see `FilterProblem`.
    rounds : int
        How often similar patches are averaged.
    """
    if combined.reason is not StopReason.NON_FINITE:
        filters = FilterProblem(
            problem, held_out_yx, device, combined.shared, tuple(beside), rounds
        )
        estimate = apply_post_filters(filters, combined.estimate)
        combined = replace(combined, estimate=estimate)
    return limited_result(problem, combined, held_out_yx, device)


def limited_result(
    problem: NoisyPlane,
    combined: Combined,
    held_out_yx: NDArray[np.bool_],
    device: torch.device,
) -> FitResult:
    """Apply the limits to a filtered combination, and estimate its error.

    Parameters
    ----------
    problem, held_out_yx, device
        As for `finished_result`.
    combined : Combined
        With the estimate after all filters.
    """
    estimate, reason = combined.estimate, combined.reason
    if reason is StopReason.NON_FINITE:
        return FitResult(estimate.plane_yxs, 0.0, 0, reason)
    filters = FilterProblem(problem, held_out_yx, device, combined.shared)
    estimate = apply_limits(filters, estimate)
    plane_yxs, divergence_yxs = estimate.plane_yxs, estimate.divergence_yxs
    error = None
    if held_out_yx.sum() >= FEWEST:
        error = estimated_error(problem, plane_yxs, divergence_yxs, held_out_yx)
    # All else is judged by what was recorded, not by what was cut off from it.
    corrected = plane_yxs - cut_off_bias(problem, plane_yxs)
    residual, reached = problem.residual_rms(corrected), combined.noise_level_step
    if reached is None and residual <= problem.noise.sigma:
        reached = combined.steps  # by the filters, in the end
    return FitResult(
        corrected.astype(np.float32),
        residual,
        combined.steps,
        reason,
        weights=combined.weights,
        quality=judge(problem, plane_yxs, error),
        uncertainty_yxs=uncertainty(problem, plane_yxs, divergence_yxs),
        noise_level_step=reached,
    )
