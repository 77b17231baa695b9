"""Two strategies for planes: independently, or as a series that shares networks."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from itertools import groupby

from napari_inr_denoise.core.candidates.shared import SharedNetworks
from napari_inr_denoise.core.compute.concurrency import map_ordered
from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.pipeline.output.assembly import DenoisedTile
from napari_inr_denoise.core.pipeline.planes.shared_planes import SharedPlanes
from napari_inr_denoise.core.pipeline.strategies.independent_tiles import (
    NoisyTile,
    fit_independently,
)
from napari_inr_denoise.core.pipeline.strategies.run_context import (
    RunContext,
    Steps,
    jobs_at_once,
    read_tiles,
    show_noise,
    train_networks,
    training_share,
)
from napari_inr_denoise.core.sampling.stack.series import SeriesTile
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.tiling import Tile


def independent_planes(
    run: RunContext, planes: Sequence[Plane], work: float = 1.0
) -> Steps:
    """Denoise planes by networks of their own, which the tiles of a plane may share.

    Parameters
    ----------
    run : RunContext
        The run.
    planes : sequence of Plane
        Those that are finished are left out.
    work : float
        Share of the work on each plane that is left.
    """
    left = []
    for plane in planes:
        if plane in run.state.finished_planes:
            continue
        own = None
        if run.plan.tiles_share:
            own = yield from train_networks(run, [plane])
        if own is None:
            left.append(plane)
            continue
        rest = max(work - training_share(run, 1), 0.0)
        yield from _predict(run, [plane], [0], own, rest)
    tiles = [(plane, tile) for plane in left for tile in run.plan.tiling.tiles]
    at_once = jobs_at_once(run, run.plan.concurrent_fits)
    while tiles:
        yield from _find_pattern(run, tiles[0][0])
        noisy = read_tiles(run, tiles[:at_once])
        yield from _fit(run, noisy, work)
        tiles = tiles[len(noisy) :]


def series_of_planes(run: RunContext, planes: Sequence[Plane]) -> Steps:
    """Denoise planes that follow each other by networks that they share.

    Planes that do not belong to the others are denoised independently.
    """
    left = [k for k, one in enumerate(planes) if one not in run.state.finished_planes]
    trained, work = (yield from train_networks(run, planes)), 1.0
    if trained is not None:
        work -= training_share(run, len(planes)) / len(planes)
    for shared, numbers in groupby(left, lambda number: _shared(trained, number)):
        if shared is not None:
            yield from _predict(run, planes, numbers, shared, work)
        else:
            others = [planes[number] for number in numbers]
            yield from independent_planes(run, others, work)


def _find_pattern(run: RunContext, plane: Plane) -> Steps:
    """Find the fixed pattern of the stack of a plane, if it is not known."""
    if run.must_measure_stack(plane):
        yield from show_noise(run, [plane])
        yield from run.progress.while_waiting(lambda: run.stack_noise(plane))


def _shared(trained: SharedNetworks | None, number: int) -> SharedNetworks | None:
    """Return the networks that predict a plane of the series, if it belongs to it."""
    belongs = trained is not None and trained.planes.context_numbers(number) is not None
    return trained if belongs else None


def _predict(
    run: RunContext,
    planes: Sequence[Plane],
    numbers: Iterable[int],
    trained: SharedNetworks,
    work: float,
) -> Steps:
    """Denoise planes with shared networks, some of their tiles at once."""
    series = trained.planes
    run.at_work = jobs_at_once(run, run.plan.concurrent_tiles)
    shared = SharedPlanes(trained, run.plan.settings, run.budget.device, run.at_work)
    jobs = (
        _predict_tile(run, planes[number], tile, *shared.result(number, tile))
        for number in numbers
        for tile in run.plan.tiling.tiles
    )
    with closing(map_ordered(jobs, run.at_work)) as results:
        for done in results:
            if done is None:
                # Nothing new to show, but a chance to stop.
                yield run.progress.last
                continue
            yield run.write(done, work, shared=series.count > 1)


def _predict_tile(
    run: RunContext,
    plane: Plane,
    tile: Tile,
    member: SeriesTile,
    job: Generator[None, None, FitResult],
) -> Generator[None, None, DenoisedTile]:
    """Denoise a tile with shared networks, in a thread of its own."""
    result = yield from job
    strength = run.plan.settings.strength
    return DenoisedTile.of(plane, tile, member.problem, result, strength)


def _fit(run: RunContext, noisy: Sequence[NoisyTile], work: float) -> Steps:
    """Denoise tiles at once, each by networks of its own."""
    run.at_work = len(noisy)
    updates = fit_independently(
        noisy,
        run.spacing_zyx[1:],
        run.budget.settings,
        run.budget.device,
        previews=run.previews,
    )
    for update, others in updates:
        run.progress.other_work = work * others / run.plan.tiling.count
        if isinstance(update, DenoisedTile):
            yield run.write(update, work, shared=False)
        else:
            plane, tile, fit = update.noisy.plane, update.noisy.tile, update.fit
            yield run.progress.step(plane, tile, update.problem, fit.best, fit, work)
