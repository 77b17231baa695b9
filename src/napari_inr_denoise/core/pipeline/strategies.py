"""The three ways to denoise planes: independently, as a series, as a volume.

Each is a function from the context of a run and some planes to a generator of steps. It
writes what is finished into the state of the context, and advances its progress.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from napari_inr_denoise.core.candidates.shared import SharedNetworks, train_shared
from napari_inr_denoise.core.candidates.siren_volume import VolumeFit
from napari_inr_denoise.core.candidates.training import noisy_result, shown, step_of
from napari_inr_denoise.core.compute.concurrency import map_ordered
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep
from napari_inr_denoise.core.ensemble.preview import PreviewFilter
from napari_inr_denoise.core.noise.defects.fill import measured_pixels
from napari_inr_denoise.core.noise.defects.fixed_pattern import (
    FEWEST_PLANES,
    MOST_PLANES,
    FixedPattern,
    fixed_pattern,
)
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.pipeline.assembly import DenoisedTile, PlaneAssembly
from napari_inr_denoise.core.pipeline.independent_tiles import (
    NoisyTile,
    fit_independently,
)
from napari_inr_denoise.core.pipeline.memory import ComputeBudget
from napari_inr_denoise.core.pipeline.plan import Plan, Strategy
from napari_inr_denoise.core.pipeline.plane import passthrough_result
from napari_inr_denoise.core.pipeline.progress import Progress
from napari_inr_denoise.core.pipeline.result import DenoiseStep
from napari_inr_denoise.core.pipeline.shared_planes import SharedPlanes
from napari_inr_denoise.core.pipeline.state import RunState
from napari_inr_denoise.core.pipeline.volume import VolumeRun
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.series import (
    Series,
    SeriesTile,
    Values,
    centre,
    spread,
)
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.source import ImageSource
from napari_inr_denoise.image.tiling import Tile

_TRAINING_PIXELS = 8e6
"""Pixels that are predicted in the time of one training that planes share."""
_MOST_PIXELS = 2**24
"""Largest number of pixels of a plane whose fixed pattern is kept in memory."""
_OPENING_SIDE = 128
"""Side, in pixels, of the part whose noise is shown before everything else."""
Steps = Generator[DenoiseStep, None, None]


@dataclass
class RunContext:
    """What a strategy works with.

    Attributes
    ----------
    source : ImageSource
        The noisy image.
    spacing_zyx : tuple of float
        Size of a voxel; any one unit.
    plan : Plan
        How the image is denoised.
    budget : ComputeBudget
        Where it is computed, and in how large batches.
    state : RunState
        What is finished, and where it is written.
    progress : Progress
        Makes the steps.
    previews : bool
        Whether somebody looks at the steps.
    at_work : int
        Planes or tiles that are worked on at once.
    """

    source: ImageSource
    spacing_zyx: tuple[float, float, float]
    plan: Plan
    budget: ComputeBudget
    state: RunState
    progress: Progress
    previews: bool = True
    at_work: int = 1
    _assembly: PlaneAssembly | None = None
    _pattern: tuple[Sequence[Plane], FixedPattern | None] | None = None

    def series(self, planes: Sequence[Plane], reach: int) -> Series:
        """Return planes as a series with a common noise model.

        Parameters
        ----------
        planes : sequence of Plane
            In their order.
        reach : int
            Context slices on each side.
        """
        return Series(
            lambda number, window: self.source.read(planes[number], window),
            len(planes),
            self.plan.tiling,
            self.spacing_zyx[1:],
            reach,
            self.pattern(planes[0]),
        )

    def pattern(self, plane: Plane) -> FixedPattern | None:
        """Return the fixed pattern of the stack of a plane, or None.

        The first call for a stack reads some of its planes. That of one stack is kept.
        """
        stack = self._stack(plane)
        if self._pattern is None or self._pattern[0] is not stack:
            self._pattern = stack, self._found_pattern(stack)
        return self._pattern[1]

    def must_find_pattern(self, plane: Plane) -> bool:
        """Return whether `pattern` would read planes."""
        stack = self._stack(plane)
        known = self._pattern is not None and self._pattern[0] is stack
        return self._may_have_pattern(stack) and not known

    def _stack(self, plane: Plane) -> Sequence[Plane]:
        return next(one for one in self.plan.series if plane in one)

    def _may_have_pattern(self, stack: Sequence[Plane]) -> bool:
        pixels = math.prod(self.plan.tiling.shape_yx)
        return len(stack) >= FEWEST_PLANES and pixels <= _MOST_PIXELS

    def _found_pattern(self, stack: Sequence[Plane]) -> FixedPattern | None:
        if not self._may_have_pattern(stack):
            return None
        height, width = self.plan.tiling.shape_yx
        whole = slice(0, height), slice(0, width)

        def readable() -> Iterator[Values]:
            for number in spread(len(stack), MOST_PLANES):
                # The error is raised when the plane itself is denoised.
                with suppress(Exception):
                    values, valid = self.source.read(stack[number], whole)
                    yield values, measured_pixels(values, valid)[0]

        return fixed_pattern(readable())

    def write(self, done: DenoisedTile, work: float, *, shared: bool) -> DenoiseStep:
        """Write a tile, and its plane's record after the last of them.

        Parameters
        ----------
        done : DenoisedTile
            The next tile in the tiling's order.
        work : float
            Share of the work on the plane that was left when its tiles began.
        shared : bool
            Whether the plane shares networks with others.
        """
        count = self.plan.tiling.count
        if done.tile.number == 0 or self._assembly is None:
            self._assembly = PlaneAssembly(self.state.output, done.plane)
        self._assembly.add(done)
        self.progress.advance(work / count)
        if done.tile.number == count - 1:
            self.state.finished_planes.add(
                replace(self._assembly.record(), shared=shared)
            )
            self._assembly = None
        return self.progress.step(
            done.plane, done.tile, done.problem, done.result, None
        )


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
            own = yield from _train(run, [plane])
        if own is None:
            left.append(plane)
            continue
        rest = max(work - _training_share(run, 1), 0.0)
        yield from _predict(run, [plane], [0], own, rest)
    tiles = [(plane, tile) for plane in left for tile in run.plan.tiling.tiles]
    at_once = _at_once(run, run.plan.concurrent_fits)
    while tiles:
        yield from _find_pattern(run, tiles[0][0])
        noisy = _read(run, tiles[:at_once])
        yield from _fit(run, noisy, work)
        tiles = tiles[len(noisy) :]


def series_of_planes(run: RunContext, planes: Sequence[Plane]) -> Steps:
    """Denoise planes that follow each other by networks that they share.

    Planes that do not belong to the others are denoised independently.
    """
    left = [k for k, one in enumerate(planes) if one not in run.state.finished_planes]
    trained, work = (yield from _train(run, planes)), 1.0
    if trained is not None:
        work -= _training_share(run, len(planes)) / len(planes)
    for shared, numbers in groupby(left, lambda number: _shared(trained, number)):
        if shared is not None:
            yield from _predict(run, planes, numbers, shared, work)
        else:
            others = [planes[number] for number in numbers]
            yield from independent_planes(run, others, work)


def volume_of_planes(run: RunContext, planes: Sequence[Plane]) -> Steps:
    """Fit planes along Z as one function of (z, y, x), with the published method."""
    yield from _open(run, planes)
    volume = yield from run.progress.while_waiting(
        lambda: VolumeRun(run.series(planes, 0), planes, run.spacing_zyx, run.plan)
    )
    middle, problem = planes[volume.middle], volume.plane(volume.middle)
    found: VolumeFit | FitResult
    unchanged = passthrough_result(replace(problem, noise=volume.noise))
    if unchanged is not None:
        found = unchanged
    else:
        steps = volume.steps(run.budget.settings, run.budget.device)
        fitting = GeneratorResult(steps)
        for fit, step in fitting:
            run.state.volume = (volume, fit)
            yield run.progress.step(middle, None, problem, step.best, step)
        found = fitting.result
        run.state.volumes.append(found.function)
    for _ in (writing := GeneratorResult(volume.write(found, run.state.output.plane))):
        if unchanged is None:
            yield run.progress.last
    run.state.finished_planes.add(writing.result)
    run.state.volume = None
    run.progress.advance(1.0)
    ended = FitResult(
        problem.plane_yxs.astype(np.float32),
        writing.result.residual_rms,
        writing.result.steps,
        StopReason(writing.result.reason),
    )
    yield run.progress.step(middle, None, problem, ended, None)


STRATEGIES: dict[Strategy, Callable[[RunContext, Sequence[Plane]], Steps]] = {
    Strategy.INDEPENDENT: independent_planes,
    Strategy.SERIES: series_of_planes,
    Strategy.VOLUME: volume_of_planes,
}


def _open(run: RunContext, planes: Sequence[Plane]) -> Steps:
    """Show at once the noise of a small part of the middle plane."""
    plane, tile = planes[len(planes) // 2], run.plan.tiling.tiles[0]
    window = centre(tile.window, _OPENING_SIDE)
    problem = measure_plane(*run.source.read(plane, window), run.spacing_zyx[1:])
    best = noisy_result(problem)
    max_steps = run.plan.settings.siren.max_steps
    fit = FitStep(0, max_steps, 0.0, problem.noise, 0.0, 0.0, best)
    yield run.progress.learning(plane, problem, best, fit, 0.0)


def _find_pattern(run: RunContext, plane: Plane) -> Steps:
    """Find the fixed pattern of the stack of a plane, if it is not known."""
    if run.must_find_pattern(plane):
        yield from _open(run, [plane])
        yield from run.progress.while_waiting(lambda: run.pattern(plane))


def _train(
    run: RunContext, planes: Sequence[Plane]
) -> Generator[DenoiseStep, None, SharedNetworks | None]:
    """Train networks that planes or tiles share; None where they share nothing."""
    yield from _open(run, planes)
    series = yield from run.progress.while_waiting(
        lambda: run.series(planes, run.plan.settings.context)
    )
    started, best = time.monotonic(), None
    share = _training_share(run, len(planes))
    steps = train_shared(
        series, run.budget.settings, run.budget.device, previews=run.previews
    )
    training = GeneratorResult(steps)
    filters = None
    for update in training:
        if update is None:
            yield run.progress.last
            continue
        plane, problem = planes[update.number], update.problem
        if filters is None:  # it is always the same plane that is shown
            settings = run.budget.settings
            filters = PreviewFilter(problem, run.budget.device, settings.seed)
        found = shown(filters, problem, update.training)
        best = found or best or noisy_result(problem)
        seconds = time.monotonic() - started
        fit = step_of(problem, update.training, best, seconds)
        done = share * update.progress
        yield run.progress.learning(plane, problem, best, fit, done)
    if training.result is not None:
        run.progress.advance(share)
    return training.result


def _shared(trained: SharedNetworks | None, number: int) -> SharedNetworks | None:
    """Return the networks that predict a plane of the series, if it belongs to it."""
    belongs = trained is not None and trained.planes.context_numbers(number) is not None
    return trained if belongs else None


def _training_share(run: RunContext, planes: int) -> float:
    """Return the time of a training over that of a plane, in a series of planes."""
    pixels = planes * math.prod(run.plan.tiling.shape_yx)
    return planes * _TRAINING_PIXELS / (_TRAINING_PIXELS + pixels)


def _at_once(run: RunContext, most: Callable[..., int]) -> int:
    """Return how many tiles are worked on at once; one if more were too many before."""
    return 1 if run.budget.notes else most(run.budget.device)


def _predict(
    run: RunContext,
    planes: Sequence[Plane],
    numbers: Iterable[int],
    trained: SharedNetworks,
    work: float,
) -> Steps:
    """Denoise planes with shared networks, some of their tiles at once."""
    series = trained.planes
    run.at_work = _at_once(run, run.plan.concurrent_tiles)
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


def _read(run: RunContext, tiles: Sequence[tuple[Plane, Tile]]) -> list[NoisyTile]:
    """Read tiles up to one that cannot be read; raise its error if it is the first.

    In the caller's thread, because not every source can be read in others.
    """
    noisy: list[NoisyTile] = []
    for plane, tile in tiles:
        try:
            read = run.source.read(plane, tile.window)
            pattern = run.pattern(plane)
        except Exception:
            if not noisy:
                raise
            break
        own = None if pattern is None else pattern.offsets_yxs[tile.window]
        noisy.append(NoisyTile(plane, tile, *read, own))
    return noisy


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
