"""What a strategy works with, and the steps that several strategies take."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from napari_inr_denoise.core.candidates.shared import SharedNetworks, train_shared
from napari_inr_denoise.core.candidates.training import noisy_result, shown, step_of
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.plane_result import FitStep
from napari_inr_denoise.core.ensemble.preview import PreviewFilter
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.pipeline.memory import ComputeBudget
from napari_inr_denoise.core.pipeline.output.assembly import DenoisedTile, PlaneAssembly
from napari_inr_denoise.core.pipeline.output.progress import Progress
from napari_inr_denoise.core.pipeline.output.result import DenoiseStep
from napari_inr_denoise.core.pipeline.output.state import RunState
from napari_inr_denoise.core.pipeline.plan import Plan
from napari_inr_denoise.core.pipeline.strategies.independent_tiles import (
    NoisyTile,
)
from napari_inr_denoise.core.sampling.stack.parts import centre
from napari_inr_denoise.core.sampling.stack.series import Series
from napari_inr_denoise.core.sampling.stack.stack_noise import (
    StackNoise,
    may_have_pattern,
)
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.source import ImageSource
from napari_inr_denoise.image.tiling import Tile, Tiling

_TRAINING_PIXELS = 8e6
"""Pixels that are predicted in the time of one training that planes share."""
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
        The planes that are finished, and the array that they are written to.
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
    _stack_noise: tuple[Sequence[Plane], StackNoise] | None = None

    def series(
        self, planes: Sequence[Plane], reach: int, tiling: Tiling | None = None
    ) -> Series:
        """Return planes as a series with a common noise model.

        Parameters
        ----------
        planes : sequence of Plane
            In their order.
        reach : int
            Context slices on each side.
        tiling : Tiling, optional
            Instead of that of the plan.
        """
        return Series(
            lambda number, window: self.source.read(planes[number], window),
            len(planes),
            tiling or self.plan.tiling,
            self.spacing_zyx[1:],
            reach,
            self.stack_noise(planes[0]),
        )

    def stack_noise(self, plane: Plane) -> StackNoise:
        """Return what the noise of the planes in the stack of a plane has in common.

        The first call for a stack reads some of its planes. That of one stack is kept.
        """
        stack = self._stack(plane)
        if self._stack_noise is None or self._stack_noise[0] is not stack:
            noise = StackNoise.of(
                lambda number, window: self.source.read(stack[number], window),
                len(stack),
                self.plan.tiling.shape_yx,
            )
            self._stack_noise = stack, noise
        return self._stack_noise[1]

    def must_measure_stack(self, plane: Plane) -> bool:
        """Return whether planes must be read first, to look for a fixed pattern."""
        stack = self._stack(plane)
        known = self._stack_noise is not None and self._stack_noise[0] is stack
        return not known and may_have_pattern(len(stack), self.plan.tiling.shape_yx)

    def _stack(self, plane: Plane) -> Sequence[Plane]:
        return next(one for one in self.plan.series if plane in one)

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


def show_noise(run: RunContext, planes: Sequence[Plane]) -> Steps:
    """Show at once the noise of a small part of the middle plane."""
    plane, tile = planes[len(planes) // 2], run.plan.tiling.tiles[0]
    window = centre(tile.window, _OPENING_SIDE)
    problem = measure_plane(*run.source.read(plane, window), run.spacing_zyx[1:])
    best = noisy_result(problem)
    max_steps = run.plan.settings.siren.max_steps
    fit = FitStep(0, max_steps, 0.0, problem.noise, 0.0, 0.0, best)
    yield run.progress.learning(plane, problem, best, fit, 0.0)


def train_networks(
    run: RunContext, planes: Sequence[Plane], share: float | None = None
) -> Generator[DenoiseStep, None, SharedNetworks | None]:
    """Train networks that planes or tiles share; None where they share nothing.

    Parameters
    ----------
    run : RunContext
        The run.
    planes : sequence of Plane
        In their order.
    share : float, optional
        Work of the training, in planes or volumes; `training_share` by default.
    """
    yield from show_noise(run, planes)

    def read() -> Series:
        series = run.series(planes, run.plan.settings.context)
        series.even_out()
        return series

    series = yield from run.progress.while_waiting(read)
    started, best = time.monotonic(), None
    if share is None:
        share = training_share(run, len(planes))
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


def training_share(run: RunContext, planes: int) -> float:
    """Return the time of a training over that of a plane, in a series of planes."""
    pixels = planes * math.prod(run.plan.tiling.shape_yx)
    return planes * _TRAINING_PIXELS / (_TRAINING_PIXELS + pixels)


def jobs_at_once(run: RunContext, most: Callable[..., int]) -> int:
    """Return how many tiles are worked on at once; one if more were too many before."""
    return 1 if run.budget.notes else most(run.budget.device)


def read_tiles(run: RunContext, tiles: Sequence[tuple[Plane, Tile]]) -> list[NoisyTile]:
    """Read tiles up to one that cannot be read; raise its error if it is the first.

    In the caller's thread, because not every source can be read in others.
    """
    noisy: list[NoisyTile] = []
    for plane, tile in tiles:
        try:
            read = run.source.read(plane, tile.window)
            noise = run.stack_noise(plane)
        except Exception:
            if not noisy:
                raise
            break
        pattern = noise.pattern
        own = None if pattern is None else pattern.offsets_yxs[tile.window]
        noisy.append(NoisyTile(plane, tile, *read, own, noise.distance > 1))
    return noisy
