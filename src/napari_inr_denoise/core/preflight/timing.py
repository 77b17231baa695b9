"""Pace of training and prediction on this machine, measured on a part of the image."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch

from napari_inr_denoise.core.candidates.base import BlindSpotModel, CandidateModel
from napari_inr_denoise.core.candidates.registry import suitable_models
from napari_inr_denoise.core.candidates.siren_volume import VolumeProblem, volume_steps
from napari_inr_denoise.core.candidates.training import Trainer, TrainingTile
from napari_inr_denoise.core.compute.concurrency import (
    fit_concurrently,
    map_ordered,
    runs_in_threads,
)
from napari_inr_denoise.core.compute.devices import synchronize
from napari_inr_denoise.core.compute.error_curve import FIRST_EVALUATION
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.filters.post_filters import Estimate
from napari_inr_denoise.core.ensemble.filters.volume_filters import (
    VOLUME_FILTERS,
    VolumePlane,
)
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.ensemble.preview import PreviewFilter
from napari_inr_denoise.core.ensemble.weighting import hold_out
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.planes.plane import (
    combine_candidates,
    finished_result,
)
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.normalization import CommonScale
from napari_inr_denoise.core.sampling.stack.series import SeriesTile
from napari_inr_denoise.core.settings import DenoiseSettings

_SECONDS = 0.2
"""Duration for which each action is repeated."""
_MOST_TIMES = 20
_TRIAL_SECONDS = 0.5
"""The same for the steps of a training: most of a run are steps, and after the first 25
its error is known."""
_ENDLESS = 10**6
"""Planned steps of a training that is only measured, and never finished."""
_T = TypeVar("_T")
Measuring = Generator[None, None, _T]
"""A generator that returns a measurement, and yields where the caller may stop."""


@dataclass(frozen=True)
class Pace:
    """Measured pace of a network.

    Attributes
    ----------
    step : float
        Seconds per optimization step.
    pixel : float
        Seconds per pixel of a prediction, in one orientation.
    alone : float or None
        Seconds per step while no other network is trained; None if no other network was
        trained at the same time.
    is_easy : bool
        Whether the error was small as soon as a training first measures it. The
        training then ends as early as it can.
    """

    step: float
    pixel: float
    alone: float | None = None
    is_easy: bool = False


@dataclass(frozen=True)
class OtherPace:
    """Measured pace of what is done outside of the networks, in seconds per pixel.

    Attributes
    ----------
    noise : float
        Before the training of a plane alone: its noise, hot pixels and patterns.
    filters : float
        After it: weights, filters and quality.
    shown : float
        Filters of a prediction that is shown during the training.
    first_shown : float
        What the first of them takes in addition: the regression of similar patches.
    """

    noise: float = 0.0
    filters: float = 0.0
    shown: float = 0.0
    first_shown: float = 0.0


def network_paces(
    member: SeriesTile,
    parts: int,
    settings: DenoiseSettings,
    device: torch.device,
    shares: bool,
    at_once: int = 1,
) -> Measuring[dict[str, Pace]]:
    """Measure the pace of each network that the settings name.

    Parameters
    ----------
    member : SeriesTile
        A part of a plane with its context slices; large enough for batches of the size
        of the run.
    parts : int
        Number of tiles that a network is trained on. A step draws pixels from several
        of them, which costs more than as many pixels from one.
    settings : DenoiseSettings
        The networks.
    device : torch.device
        Where to compute.
    shares : bool
        Whether planes or tiles share networks, which then predict one after the other.
    at_once : int
        Number of planes or tiles that are predicted at once. If they do not share
        networks, each has networks of its own, which are also trained at once.

    Returns
    -------
    dict of str to Pace
        Pace for one plane by the network's name: the total time over `at_once`.
    """
    models = suitable_models(settings, member.problem)
    planes = 1 if shares else at_once
    # Tiles of their own, as in a run: steps on one and the same find it in the cache.
    fitted = member.problem.fitted_yx
    targets = fitted & ~hold_out(fitted, settings.seed)
    tiles = [TrainingTile(member, targets) for _ in range(parts)]
    copies = [
        {
            model.name: _trainer(model, tiles, settings, device)
            for model in models
            if isinstance(model, BlindSpotModel)
        }
        for _ in range(planes)
    ]
    trainers = copies[0]
    yield
    # As in a run, all networks are trained at the same time.
    measured = [
        _trainer_pace(copy[model.name], member.problem, device, rendered=not shares)
        if model.name in copy
        else _fit_pace(model, member, settings, device)
        for copy in copies
        for model in models
    ]
    for _ in (run := GeneratorResult(fit_concurrently(measured, device))):
        yield
    paces = {
        model.name: _share(run.result[number :: len(models)])
        for number, model in enumerate(models)
    }
    if planes == 1 and runs_in_threads(len(models), device):
        for name, trainer in trainers.items():
            yield
            alone = _seconds(trainer.advance, device)
            paces[name] = replace(paces[name], alone=alone)
    if shares:
        for name, trainer in trainers.items():
            pixel = yield from _rendered(trainer, member.problem, device, at_once)
            paces[name] = replace(paces[name], pixel=pixel)
    return paces


def _share(paces: Sequence[Pace]) -> Pace:
    """Return the mean pace of concurrent networks, divided by their number."""
    squared = len(paces) ** 2
    step = sum(one.step for one in paces) / squared
    pixel = sum(one.pixel for one in paces) / squared
    return Pace(step, pixel, is_easy=all(one.is_easy for one in paces))


def _trainer(
    model: BlindSpotModel,
    tiles: Sequence[TrainingTile],
    settings: DenoiseSettings,
    device: torch.device,
) -> Trainer:
    scale = CommonScale.of([tiles[0].tile.problem])
    return model.trainer(tiles, scale, settings, device, _ENDLESS)


def _trainer_pace(
    trainer: Trainer, problem: NoisyPlane, device: torch.device, *, rendered: bool
) -> Measuring[Pace]:
    yield
    steps = 0

    def advance() -> None:
        nonlocal steps
        trainer.advance()
        steps += 1

    step = _seconds(advance, device, seconds=_TRIAL_SECONDS, most=FIRST_EVALUATION)
    yield
    is_easy = steps >= FIRST_EVALUATION and _has_small_error(trainer)
    pixel = (yield from _rendered(trainer, problem, device)) if rendered else 0.0
    return Pace(step, pixel, is_easy=is_easy)


def _has_small_error(trainer: Trainer) -> bool:
    with trainer.averaged():
        found = trainer.evaluate()
    error = found.error if found is not None else None
    return error is not None and error.is_small


def _rendered(
    trainer: Trainer, problem: NoisyPlane, device: torch.device, at_once: int = 1
) -> Measuring[float]:
    def render() -> None:
        for _ in trainer.predict(None, n_augmentations=1):
            pass

    yield
    return _seconds(render, device, at_once) / problem.fitted_yx.size


def _fit_pace(
    model: CandidateModel,
    member: SeriesTile,
    settings: DenoiseSettings,
    device: torch.device,
) -> Measuring[Pace]:
    """Measure a network without a trainer, by the steps of its fit."""
    yield
    problem = member.problem
    steps = model.fit(problem, problem.fitted_yx, settings, device)
    next(steps)  # an evaluation before any step
    started, last = time.perf_counter(), next(steps, None)
    seconds = time.perf_counter() - started
    steps.close()
    training = 0.0 if last is None else last.step / last.steps_per_second
    pixel = max(seconds - training, 0.0) / problem.fitted_yx.size
    return Pace(0.0 if last is None else training / last.step, pixel)


def function_pace(
    problem: VolumeProblem, settings: DenoiseSettings, device: torch.device
) -> Pace:
    """Return the pace of the fit of a volume, per step and per voxel.

    The time of the evaluations is part of the time per step.

    Parameters
    ----------
    problem : VolumeProblem
        A part of the volume.
    settings : DenoiseSettings
        Parameters of SIREN.
    device : torch.device
        Where to compute.
    """
    # In much noise the first evaluation would end the fit.
    least = 1e-6 * problem.noise.sigma_chen
    endless = replace(problem, noise=replace(problem.noise, sigma_chen=least))
    steps = volume_steps(endless, settings, device)
    first = next(steps)
    started, fit = time.perf_counter(), next(steps, first)
    seconds = time.perf_counter() - started
    steps.close()
    function = fit.function
    grid = function.grid()
    rendered = _seconds(lambda: function.plane(0.0, grid), device)
    return Pace(seconds / max(fit.steps, 1), rendered / problem.counts_zyx[0].size)


def volume_pace(problem: NoisyPlane, planes: int, device: torch.device) -> float:
    """Return the seconds per voxel of the filters of a volume.

    Parameters
    ----------
    problem : NoisyPlane
        A part of a plane.
    planes : int
        Planes that stand for those around it.
    device : torch.device
        Where to compute.
    """
    plane_yxs = problem.plane_yxs.astype(np.float32)
    estimate = Estimate(plane_yxs, np.zeros_like(plane_yxs))
    plane = VolumePlane([problem] * planes, [estimate] * planes, planes // 2, device)

    def apply_all() -> None:
        for apply in VOLUME_FILTERS.values():
            apply(plane)

    return _seconds(apply_all, device) / problem.fitted_yx.size


def other_pace(
    problem: NoisyPlane,
    beside: int,
    settings: DenoiseSettings,
    device: torch.device,
    at_once: int = 1,
) -> OtherPace:
    """Measure what is done outside of the networks: noise, filters, quality.

    Parameters
    ----------
    problem : NoisyPlane
        A part of a plane.
    beside : int
        Number of planes beside it that the post-filters search.
    settings : DenoiseSettings
        Gives the seed and the rounds of averaging.
    device : torch.device
        Where to run the post-filters.
    at_once : int
        Number of planes or tiles that are filtered at once.
    """
    plane_yxs = problem.plane_yxs.astype(np.float32)
    nothing = np.zeros_like(plane_yxs)
    prediction = Candidate("", plane_yxs, nothing, 1, StopReason.TRAINED)
    held_out = hold_out(problem.fitted_yx, settings.seed)

    def measure() -> None:
        measure_plane(problem.plane_yxs, problem.valid_yx)

    def finish() -> None:
        combined = combine_candidates(problem, [prediction], held_out, device)
        others = beside * [(problem, combined.estimate)]
        rounds = settings.ridge_rounds
        finished_result(problem, combined, held_out, device, others, rounds=rounds)

    def show_first() -> PreviewFilter:
        filters = PreviewFilter(problem, device, settings.seed)
        filters.filtered(prediction)
        filters.improved()
        return filters

    known = show_first()
    actions = measure, finish, lambda: known.filtered(prediction), show_first
    seconds = (_seconds(one, device, at_once) for one in actions)
    noise, filters, shown, first = (one / problem.fitted_yx.size for one in seconds)
    return OtherPace(noise, filters, shown, max(first - shown, 0.0))


def _seconds(
    action: Callable[[], object],
    device: torch.device,
    at_once: int = 1,
    *,
    seconds: float = _SECONDS,
    most: int = _MOST_TIMES,
) -> float:
    """Return the mean duration of an action in seconds, without its first call.

    For several calls at once this is their total duration over their number.
    """
    action()
    synchronize(device)
    started, times = time.perf_counter(), 0
    # At least once, also where something else holds up this thread for so long.
    while times == 0 or (times < most and time.perf_counter() - started < seconds):
        if at_once == 1:
            action()
        else:
            list(map_ordered([_job(action) for _ in range(at_once)], at_once))
        synchronize(device)
        times += at_once
    return (time.perf_counter() - started) / times


def _job(action: Callable[[], object]) -> Generator[None, None, None]:
    yield
    action()
