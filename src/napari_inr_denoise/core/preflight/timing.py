"""How fast this machine trains and renders, measured on a part of the image."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch

from napari_inr_denoise.core.candidates.attention import AttentionFit, Crops
from napari_inr_denoise.core.candidates.base import Trainee
from napari_inr_denoise.core.candidates.neighbourhood import NeighbourhoodFit
from napari_inr_denoise.core.candidates.siren import fit_steps
from napari_inr_denoise.core.candidates.siren_volume import VolumeProblem, volume_steps
from napari_inr_denoise.core.compute.concurrency import (
    fit_concurrently,
    map_ordered,
    runs_in_threads,
)
from napari_inr_denoise.core.compute.devices import synchronize
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.ensemble.weighting import hold_out
from napari_inr_denoise.core.noise.estimate import examine_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.plane import finished
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.series import SeriesTile
from napari_inr_denoise.core.sampling.training_plane import ViewMaker
from napari_inr_denoise.core.settings import ATTENTION, NEIGHBOURHOOD, DenoiseSettings

_SECONDS = 0.2
"""How long each action is measured, at least."""
_MOST_TIMES = 20
_T = TypeVar("_T")
Measuring = Generator[None, None, _T]
"""A generator that returns what was measured, and yields where a caller may stop."""


@dataclass(frozen=True)
class Pace:
    """What a network takes.

    Attributes
    ----------
    step : float
        Seconds for one optimisation step.
    pixel : float
        Seconds for a pixel in one turn of a rendering, or in one look at a plane.
    alone : float or None
        Seconds for a step when no other network is trained any more; None where none
        was beside it.
    """

    step: float
    pixel: float
    alone: float | None = None


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
        A part of a plane, and the planes beside it that help; large enough for
        batches of the size of the run.
    parts : int
        Of which a network is trained on so many: a step then takes some pixels of
        each of several, which costs more than as many pixels of one.
    settings : DenoiseSettings
        The networks.
    device : torch.device
        Where to compute.
    shares : bool
        Whether planes or tiles share the networks, which then answer one after the
        other.
    at_once : int
        How many planes or tiles are rendered side by side; where they share nothing,
        each with networks of its own, and trained so, too.

    Returns
    -------
    dict of str to Pace
        By the network's name; a plane's share of what is done at once.
    """
    names = settings.candidate_names
    if member.problem.noise.correlated and NEIGHBOURHOOD in names:
        names = (NEIGHBOURHOOD,)
    begin: dict[str, Callable[[SeriesTile, DenoiseSettings, torch.device], Trainee]] = {
        NEIGHBOURHOOD: partial(_neighbourhood, parts=parts),
        ATTENTION: _attention,
    }
    planes = 1 if shares else at_once
    copies = [
        {name: begin[name](member, settings, device) for name in names if name in begin}
        for _ in range(planes)
    ]
    fits = copies[0]
    yield
    # As in a run: steps of all networks at once.
    measured = [
        _fit_pace(copy[name], member.problem, device, rendered=not shares)
        if name in copy
        else _siren_pace(member, settings, device)
        for copy in copies
        for name in names
    ]
    for _ in (run := GeneratorResult(fit_concurrently(measured, device))):
        yield
    paces = {
        name: _share(run.result[number :: len(names)])
        for number, name in enumerate(names)
    }
    if planes == 1 and runs_in_threads(len(names), device):
        for name, fit in fits.items():
            yield
            alone = _seconds(fit.advance, device)
            paces[name] = replace(paces[name], alone=alone)
    if shares:
        for name, fit in fits.items():
            pixel = yield from _rendered(fit, member.problem, device, at_once)
            paces[name] = replace(paces[name], pixel=pixel)
    return paces


def _share(together: Sequence[Pace]) -> Pace:
    """Return the share of one in what several take at once."""
    squared = len(together) ** 2  # the mean, of which each takes a part
    step = sum(one.step for one in together) / squared
    return Pace(step, sum(one.pixel for one in together) / squared)


def _neighbourhood(
    member: SeriesTile, settings: DenoiseSettings, device: torch.device, parts: int
) -> Trainee:
    problem = member.problem
    maker = ViewMaker([problem], settings, device)
    view = maker.view(problem, problem.fitted_yx, member.context)
    return NeighbourhoodFit([view] * parts, settings, 10**6)


def _attention(
    member: SeriesTile, settings: DenoiseSettings, device: torch.device
) -> Trainee:
    problem = member.problem
    common = ViewMaker([problem], settings, device).common
    crops = Crops.of(problem, problem.fitted_yx, common, device, member.context)
    return AttentionFit([crops], settings, 10**6)


def _fit_pace(
    fit: Trainee, problem: NoisyPlane, device: torch.device, *, rendered: bool
) -> Measuring[Pace]:
    yield
    step = _seconds(fit.advance, device)
    yield
    pixel = (yield from _rendered(fit, problem, device)) if rendered else 0.0
    return Pace(step, pixel)


def _rendered(
    fit: Trainee, problem: NoisyPlane, device: torch.device, at_once: int = 1
) -> Measuring[float]:
    def render() -> None:
        for _ in fit.render(turns=1):
            pass

    yield
    return _seconds(render, device, at_once) / problem.fitted_yx.size


def _siren_pace(
    member: SeriesTile, settings: DenoiseSettings, device: torch.device
) -> Measuring[Pace]:
    yield
    steps = fit_steps(member.problem, settings, device)
    next(steps)  # a look before any step
    started, look = time.perf_counter(), next(steps, None)
    seconds = time.perf_counter() - started
    steps.close()
    taken = 0.0 if look is None else look.step / look.steps_per_second
    pixel = max(seconds - taken, 0.0) / member.problem.fitted_yx.size
    return Pace(0.0 if look is None else taken / look.step, pixel)


def volume_pace(
    problem: VolumeProblem, settings: DenoiseSettings, device: torch.device
) -> Pace:
    """Return the pace of a fit of a volume: a step with its looks, a voxel rendered.

    Parameters
    ----------
    problem : VolumeProblem
        A part of the volume.
    settings : DenoiseSettings
        Of SIREN.
    device : torch.device
        Where to compute.
    """
    steps = volume_steps(problem, settings, device)
    first = next(steps)
    started, look = time.perf_counter(), next(steps, first)
    seconds = time.perf_counter() - started
    steps.close()
    function = look.function
    grid = function.grid()
    rendered = _seconds(lambda: function.plane(0.0, grid), device)
    return Pace(seconds / max(look.steps, 1), rendered / problem.counts_zyx[0].size)


def other_pace(
    problem: NoisyPlane,
    settings: DenoiseSettings,
    device: torch.device,
    at_once: int = 1,
) -> float:
    """Return the seconds a pixel takes beside the networks: measured and judged.

    Parameters
    ----------
    problem : NoisyPlane
        A part of a plane.
    settings : DenoiseSettings
        For the seed.
    device : torch.device
        Where to filter.
    at_once : int
        How many planes or tiles are judged side by side.
    """
    plane_yxs = problem.plane_yxs.astype(np.float32)
    nothing = np.zeros_like(plane_yxs)
    answer = Candidate("", plane_yxs, nothing, 1, StopReason.TRAINED)
    held_out = hold_out(problem.fitted_yx, settings.seed)

    def work() -> None:
        examine_plane(problem.plane_yxs, problem.valid_yx)
        finished(problem, [answer], held_out, device)

    return _seconds(work, device, at_once) / problem.fitted_yx.size


def _seconds(
    action: Callable[[], object], device: torch.device, at_once: int = 1
) -> float:
    """Return the mean duration of an action, not counting its first run.

    Of several at once: how long all take, over their number.
    """
    action()
    synchronize(device)
    started, times = time.perf_counter(), 0
    while times < _MOST_TIMES and time.perf_counter() - started < _SECONDS:
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
