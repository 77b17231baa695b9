"""Denoise one plane: fit the candidates, weigh them, say how far to trust them."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.attention import attention_steps
from napari_inr_denoise.core.candidates.base import Training
from napari_inr_denoise.core.candidates.neighbourhood import neighbourhood_steps
from napari_inr_denoise.core.candidates.siren import fit_steps
from napari_inr_denoise.core.compute.concurrency import fit_concurrently
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.limits import keep_in_range, keep_structure
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep, FitSteps
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.ensemble.quality import estimated_error, judge, uncertainty
from napari_inr_denoise.core.ensemble.smoothing import smoothed
from napari_inr_denoise.core.ensemble.weighting import (
    EMPTY,
    FEWEST,
    flat_candidate,
    hold_out,
    mean_of,
    weigh,
)
from napari_inr_denoise.core.ensemble.wiener import beside_wiener
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.settings import (
    ATTENTION,
    NEIGHBOURHOOD,
    SIREN,
    SIREN_BANDWIDTHS,
    DenoiseSettings,
)

_BLIND_SPOTS = {NEIGHBOURHOOD: neighbourhood_steps, ATTENTION: attention_steps}
"""Networks that never see the pixel they predict."""
CandidateSteps = Generator[FitStep, None, Candidate]


def plane_steps(
    problem: NoisyPlane, settings: DenoiseSettings, device: torch.device
) -> FitSteps:
    """Denoise a plane by what the settings name.

    SIREN alone is the published method: it stops at the noise level and sees every
    pixel. Several candidates, or a network with a blind spot, leave some pixels out
    of every fit; on these they are weighed and judged. Where the noise is correlated
    neighbours give held-out pixels away, and only the neighbourhood network can hide
    more than the pixel: it is then taken alone, whatever is named.

    Parameters
    ----------
    problem : NoisyPlane
        With enough valid pixels and a noise level above 0.
    settings : DenoiseSettings
        The candidates and all that decides their fits.
    device : torch.device
        Where to compute.

    Yields
    ------
    FitStep
        Often enough for a caller to stop within about a second.

    Returns
    -------
    FitResult
        With its quality; `uncertainty_yxs` where a blind spot tells it.
    """
    names = settings.candidate_names
    if names == (SIREN,):
        result = yield from fit_steps(problem, settings, device)
        return replace(
            result,
            weights=((names[0], 1.0),),
            quality=judge(problem, result.plane_yxs, None),
        )
    if problem.noise.correlated:
        names = (NEIGHBOURHOOD,)
    return (yield from _combined(names, problem, settings, device))


def _combined(
    names: tuple[str, ...],
    problem: NoisyPlane,
    settings: DenoiseSettings,
    device: torch.device,
) -> FitSteps:
    """Fit the candidates to all but the held-out pixels, and combine them."""
    held_out = hold_out(problem.fitted_yx, settings.seed)
    targets = problem.fitted_yx & ~held_out
    done: dict[int, Candidate] = {}

    def fitted(number: int, name: str) -> CandidateSteps:
        fit = _siren if name in SIREN_BANDWIDTHS else _blind_spot
        done[number] = yield from fit(name, problem, targets, settings, device)
        return done[number]

    fits = [fitted(number, name) for number, name in enumerate(names)]
    run = GeneratorResult(fit_concurrently(fits, device))
    newest: dict[int, FitStep] = {}
    best, known = None, 0
    for number, step in run:
        newest[number] = step
        if 0 not in newest and 0 not in done:
            continue  # what the others show would soon be worse again
        # The first is the best of them as a rule: what others come to waits for it.
        if 0 in done and len(done) > known:
            known = len(done)
            sound = [done[k] for k in sorted(done) if _is_sound(done[k])]
            best = _mean(problem, sound, held_out)[0] if sound else None
        yield _of_all(newest, len(names), set(done), best)
    return finished(problem, run.result, held_out, device)


def _of_all(
    steps: dict[int, FitStep], fits: int, over: set[int], done: FitResult | None
) -> FitStep:
    """Return the steps of several fits as one of all.

    Parameters
    ----------
    steps : dict of int to FitStep
        The newest of each that has begun, by its number.
    fits : int
        How many there will be.
    over : set of int
        Those that have ended.
    done : FitResult or None
        What is better than any that is under way.
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
    """Return the weighted mean of the candidates and its own share."""
    weights = weigh(done, problem, held_out_yx)
    plane_yxs, share_yxs = keep_structure(problem, *mean_of(done, weights))
    result = _as_result(problem, plane_yxs, sum(one.steps for one in done))
    named = zip(done, weights, strict=True)
    by_name = tuple((one.name, round(float(weight), 4)) for one, weight in named)
    return replace(result, weights=by_name), share_yxs


def finished(
    problem: NoisyPlane,
    done: Sequence[Candidate],
    held_out_yx: NDArray[np.bool_],
    device: torch.device,
) -> FitResult:
    """Combine candidates, and say what is known of the result's error.

    Parameters
    ----------
    problem : NoisyPlane
        The plane.
    done : sequence of Candidate
        Those with values that are not finite are left out; the noisy plane is
        returned where there is no other.
    held_out_yx : ndarray of bool, shape (Y, X)
        Pixels that no candidate was trained on.
    device : torch.device
        Where to filter.
    """
    done = [one for one in done if _is_sound(one)]
    if not done:
        noisy = problem.plane_yxs.astype(np.float32)
        return FitResult(noisy, 0.0, 0, StopReason.NON_FINITE)
    if not problem.noise.correlated:
        with_flat = [*done, flat_candidate(problem)]
        if weigh(with_flat, problem, held_out_yx)[-1] >= EMPTY:
            done = with_flat
    best, share_yxs = _mean(problem, done, held_out_yx)
    plane_yxs = smoothed(problem, best.plane_yxs, share_yxs, held_out_yx)
    plane_yxs = beside_wiener(problem, plane_yxs, device)
    plane_yxs, share_yxs = keep_structure(problem, plane_yxs, share_yxs)
    result = _as_result(problem, plane_yxs, best.steps)
    error = None
    if held_out_yx.sum() >= FEWEST:
        error = estimated_error(problem, result.plane_yxs, share_yxs, held_out_yx)
    return replace(
        result,
        weights=best.weights,
        reason=StopReason.TRAINED,
        quality=judge(problem, result.plane_yxs, error),
        uncertainty_yxs=uncertainty(problem, result.plane_yxs, share_yxs),
    )


def _blind_spot(
    name: str,
    problem: NoisyPlane,
    targets_yx: NDArray[np.bool_],
    settings: DenoiseSettings,
    device: torch.device,
) -> CandidateSteps:
    """Fit a network with a blind spot, as steps for callers."""
    started, best = time.monotonic(), None
    run = GeneratorResult(_BLIND_SPOTS[name](problem, targets_yx, settings, device))
    for training in run:
        if training.candidate is not None:
            best = shown(problem, training) or best
        if best is not None:
            yield step_of(problem, training, best, time.monotonic() - started)
    return run.result


def _siren(
    name: str,
    problem: NoisyPlane,
    targets_yx: NDArray[np.bool_],
    settings: DenoiseSettings,
    device: torch.device,
) -> CandidateSteps:
    """Fit a SIREN of a bandwidth, as steps for callers."""
    part, factor = replace(problem, fitted_yx=targets_yx), SIREN_BANDWIDTHS[name]
    wide = replace(
        settings,
        omega=settings.omega * factor,
        first_period=max(settings.first_period / factor, 1.0),
    )
    result = yield from fit_steps(part, wide, device)
    # A pixel among thousands moves the fit by next to nothing, and a held-out one, by
    # which it is judged, by nothing.
    share = np.zeros_like(result.plane_yxs)
    return Candidate(name, result.plane_yxs, share, result.steps, result.reason)


def step_of(
    problem: NoisyPlane, training: Training, best: FitResult, seconds: float
) -> FitStep:
    """Return a blind spot's training as a step of the fit."""
    return FitStep(
        step=training.step,
        max_steps=training.steps,
        residual_rms=best.residual_rms,
        noise=problem.noise,
        progress=training.step / training.steps,
        steps_per_second=training.step / seconds if seconds > 0 else 0.0,
        best=best,
    )


def shown(problem: NoisyPlane, training: Training) -> FitResult | None:
    """Return a look at a plane as a result, or None where there was none to show."""
    if training.candidate is None or not _is_sound(training.candidate):
        return None
    return _as_result(problem, training.candidate.plane_yxs, training.step)


def _as_result(
    problem: NoisyPlane, plane_yxs: NDArray[np.float32], steps: int
) -> FitResult:
    plane_yxs = keep_in_range(problem, plane_yxs)
    rms = problem.residual_rms(plane_yxs)
    return FitResult(plane_yxs, rms, steps, StopReason.CALLER)


def _is_sound(candidate: Candidate) -> bool:
    """Return whether a network has not broken down."""
    parts = (candidate.plane_yxs, candidate.divergence_yxs)
    return all(bool(np.isfinite(part).all()) for part in parts)


_FEWEST_VALID = 16
"""Fewer valid pixels than this say nothing about the noise."""
_NO_NOISE = float(np.finfo(np.float32).eps)
"""Noise below this share of the largest value that is fitted is lost in float32."""


def passthrough_result(problem: NoisyPlane) -> FitResult | None:
    """Return the plane as it is if there is nothing to fit, or None.

    Parameters
    ----------
    problem : NoisyPlane
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
