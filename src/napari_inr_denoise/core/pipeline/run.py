"""One image on its way: series by series, some planes or tiles at once."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import chain, groupby

import numpy as np

from napari_inr_denoise.core.candidates.base import shown, step_of
from napari_inr_denoise.core.candidates.shared import (
    SharedNetworks,
    can_share,
    shares_networks,
    train_shared,
)
from napari_inr_denoise.core.candidates.siren_volume import VolumeFit
from napari_inr_denoise.core.compute.concurrency import map_ordered
from napari_inr_denoise.core.compute.devices import pick_device
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.assembly import DenoisedTile, PlaneAssembly
from napari_inr_denoise.core.pipeline.independent_tiles import (
    NoisyTile,
    fit_independently,
)
from napari_inr_denoise.core.pipeline.memory import (
    ComputeBudget,
    concurrent_fits,
    concurrent_tiles,
    tile_side,
)
from napari_inr_denoise.core.pipeline.plane import (
    combine_candidates,
    passthrough_result,
)
from napari_inr_denoise.core.pipeline.progress import StepMaker
from napari_inr_denoise.core.pipeline.result import DenoiseResult, DenoiseStep
from napari_inr_denoise.core.pipeline.state import Outputs, RunState
from napari_inr_denoise.core.pipeline.volume import VolumeRun
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.series import Series, SeriesTile, centre
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.image.axes import Plane, planes_of, sample_count, series_of
from napari_inr_denoise.image.source import ImageSource
from napari_inr_denoise.image.tiling import Tile, Tiling

_TRAINING_PIXELS = 8e6
"""So many pixels are denoised in the time of training what they share."""
_OPENING = 128
"""Side of what is looked at before all else, in pixels."""
_Steps = Generator[DenoiseStep, None, None]
_Work = Callable[[list[Plane]], _Steps]
DenoiseSteps = Generator[DenoiseStep, None, DenoiseResult]


class Run:
    """The work on the planes, in their order.

    Parameters
    ----------
    source : ImageSource
        The noisy image.
    axes : str
        One letter per dimension.
    settings : DenoiseSettings
        How to denoise.
    spacing_zyx : tuple of float
        Size of a voxel.
    outputs : Outputs
        Where the result and its maps are written.
    """

    def __init__(
        self,
        source: ImageSource,
        axes: str,
        settings: DenoiseSettings,
        spacing_zyx: tuple[float, float, float],
        outputs: Outputs,
    ) -> None:
        self._source, self._axes = source, axes
        self._settings = settings
        self._effort = ComputeBudget(settings, pick_device(settings.device))
        self._spacing_zyx = spacing_zyx
        self._spacing_yx = spacing_zyx[1:]
        first = next(planes_of(axes, source.shape))
        self._samples = sample_count(axes, source.shape)
        side = tile_side(settings, self._samples, self._effort.device)
        self._tiling = Tiling.of(first.shape_yx(source.shape), side)
        self._as_volumes = settings.mode == "volume"
        self._so_far = RunState(
            source, axes, settings, self._tiling, self._effort, outputs
        )
        self._ledger, self._output = self._so_far.ledger, self._so_far.output
        self._maker = StepMaker(self._so_far, self._tiling.count)
        self._plane: PlaneAssembly | None = None  # whose tiles come in
        self._at_work = 1  # planes or tiles

    def steps(self) -> DenoiseSteps:
        """Denoise the planes, one series of them after the other."""
        all_series = series_of(self._axes, self._source.shape)
        work: _Work = self._series
        if self._as_volumes:
            work = self._fit_volume
        elif not shares_networks(self._settings, len(all_series[0])):
            # Where nothing is shared it does not matter where a series ends.
            all_series, work = [list(chain.from_iterable(all_series))], self._alone
        for series in all_series:
            yield from self._all_of(series, work)
        return self._so_far.result()

    def take_over(self, earlier: DenoiseResult) -> None:
        """Take the finished planes of a run of the same image that was stopped.

        Raises
        ------
        ValueError
            If it was a run of another image or with other settings.
        """
        self._so_far.take_over(earlier)

    def _all_of(self, series: list[Plane], work: _Work) -> _Steps:
        """Denoise a series, with less effort each time it was too much."""
        while True:
            self._maker.work, self._maker.beside = float(len(self._ledger)), 0.0
            self._at_work = 1
            try:
                if any(plane not in self._ledger for plane in series):
                    yield from work(series)
            except (MemoryError, RuntimeError) as error:
                # What is finished stays; the others are tried with less.
                if not self._effort.relieved(error, self._at_work):
                    raise
            else:
                return
            # What has failed and its error hold each other, and memory is short.
            gc.collect()

    def _series(self, series: list[Plane]) -> _Steps:
        """Denoise what is not yet finished of planes that follow each other."""
        left = [k for k, one in enumerate(series) if one not in self._ledger]
        learned, work = (yield from self._learn(series)), 1.0
        if learned is not None:
            work -= self._training_share(len(series)) / len(series)
        for shared, numbers in groupby(left, lambda number: _shared(learned, number)):
            if shared is not None:
                yield from self._answered(series, numbers, shared, work)
            else:
                yield from self._alone([series[number] for number in numbers], work)

    def _fit_volume(self, series: list[Plane]) -> _Steps:
        """Fit planes along Z as one, with the published method."""
        yield from self._open(series)
        strength = self._settings.strength
        volume = yield from self._maker.while_waiting(
            lambda: VolumeRun(self._source, series, self._spacing_zyx, strength)
        )
        middle, shown = series[volume.middle], volume.plane(volume.middle)
        found: VolumeFit | FitResult
        unchanged = passthrough_result(replace(shown, noise=volume.noise))
        if unchanged is not None:
            found = unchanged
        else:
            run = GeneratorResult(
                volume.steps(self._effort.settings, self._effort.device)
            )
            for fit, step in run:
                self._so_far.volume = (volume, fit)
                yield self._maker.step(middle, None, shown, step.best, step)
            found = run.result
            self._so_far.volumes.append(found.function)
        for _ in (writing := GeneratorResult(volume.write(found, self._output.plane))):
            if unchanged is None:
                yield self._maker.last
        self._ledger.add(writing.result)
        self._so_far.volume = None
        self._maker.work += 1.0
        ended = FitResult(
            shown.plane_yxs.astype(np.float32),
            writing.result.residual_rms,
            writing.result.steps,
            StopReason(writing.result.reason),
        )
        yield self._maker.step(middle, None, shown, ended, None)

    def _learn(
        self, series: list[Plane]
    ) -> Generator[DenoiseStep, None, SharedNetworks | None]:
        """Train what the planes of a series share; None where they share nothing."""
        yield from self._open(series)
        planes = yield from self._maker.while_waiting(
            lambda: Series(
                lambda number, window: self._source.read(series[number], window),
                len(series),
                self._tiling,
                self._spacing_yx,
                self._settings.context,
            )
        )
        started, best = time.monotonic(), None
        effort, share = self._effort, self._training_share(len(series))
        run = GeneratorResult(train_shared(planes, effort.settings, effort.device))
        for look in run:
            if look is None:
                yield self._maker.last
                continue
            plane, problem = series[look.number], look.problem
            best = shown(problem, look.training) or best
            if best is not None:
                seconds = time.monotonic() - started
                fit = step_of(problem, look.training, best, seconds)
                done = share * look.progress
                yield self._maker.learning(plane, problem, best, fit, done)
        if run.result is not None:
            self._maker.work += share
        return run.result

    def _open(self, series: list[Plane]) -> _Steps:
        """Show what is known at once: the noise of a small part of the middle plane."""
        plane, tile = series[len(series) // 2], self._tiling.tiles[0]
        problem = self._problem(plane, centre(tile.window, _OPENING))
        noisy = problem.plane_yxs.astype(np.float32)
        best = FitResult(noisy, 0.0, 0, StopReason.CALLER)
        fit = FitStep(
            0, self._settings.siren.max_steps, 0.0, problem.noise, 0.0, 0.0, best
        )
        yield self._maker.learning(plane, problem, best, fit, 0.0)

    def _training_share(self, planes: int) -> float:
        """Return the time of training, in that of planes, of the time of a series."""
        pixels = planes * math.prod(self._tiling.shape_yx)
        return planes * _TRAINING_PIXELS / (_TRAINING_PIXELS + pixels)

    def _answered(
        self,
        series: list[Plane],
        numbers: Iterable[int],
        learned: SharedNetworks,
        work: float,
    ) -> _Steps:
        """Denoise planes with what they share, some of their tiles at once."""
        planes = learned.planes
        jobs = (
            self._answer(series[number], tile, planes.member(number, tile), learned)
            for number in numbers
            for tile in self._tiling.tiles
        )
        self._at_work = self._at_once(concurrent_tiles)
        with closing(map_ordered(jobs, self._at_work)) as answers:
            for done in answers:
                if done is None:
                    # Nothing new to show, but a chance to stop.
                    yield self._maker.last
                    continue
                yield self._drawn(done, work, shared=planes.count > 1)

    def _answer(
        self, plane: Plane, tile: Tile, member: SeriesTile, learned: SharedNetworks
    ) -> Generator[None, None, DenoisedTile]:
        """Denoise a tile with what it shares with others; in a thread of its own."""
        problem = member.problem
        result = passthrough_result(problem)
        if result is None:
            for _ in (run := GeneratorResult(learned.predictions(member))):
                yield
            held_out = member.held_out(self._settings.seed)
            result = combine_candidates(
                problem, run.result, held_out, self._effort.device
            )
        return DenoisedTile.of(plane, tile, problem, result, self._settings.strength)

    def _at_once(self, most: Callable[..., int]) -> int:
        """Return how many tiles are worked on at once; one if more were too much."""
        if self._effort.notes:
            return 1
        pixels, device = self._tiling.most_pixels, self._effort.device
        return most(self._settings, self._samples, pixels, device)

    def _alone(self, planes: list[Plane], work: float = 1.0) -> _Steps:
        """Denoise planes by networks of their own, which a plane's tiles may share."""
        left = []
        for plane in planes:
            if plane in self._ledger:
                continue
            own = None
            if self._tiling.count > 1 and can_share(self._settings):
                own = yield from self._learn([plane])
            if own is None:
                left.append(plane)
                continue
            for_answers = max(work - self._training_share(1), 0.0)
            yield from self._answered([plane], [0], own, for_answers)
        tiles = [(plane, tile) for plane in left for tile in self._tiling.tiles]
        at_once = self._at_once(concurrent_fits)
        while tiles:
            noisy = self._read(tiles[:at_once])
            yield from self._fitted(noisy, work)
            tiles = tiles[len(noisy) :]

    def _read(self, tiles: Sequence[tuple[Plane, Tile]]) -> list[NoisyTile]:
        """Read tiles, up to one that cannot be read: it raises when it is the first.

        Not where they are fitted: not every source may be read in threads.
        """
        noisy: list[NoisyTile] = []
        for plane, tile in tiles:
            try:
                read = self._source.read(plane, tile.window)
            except Exception:
                if not noisy:
                    raise
                break
            noisy.append(NoisyTile(plane, tile, *read))
        return noisy

    def _fitted(self, noisy: Sequence[NoisyTile], work: float) -> _Steps:
        """Denoise tiles at once, each by networks of its own."""
        effort, maker, self._at_work = self._effort, self._maker, len(noisy)
        looks = fit_independently(
            noisy, self._spacing_yx, effort.settings, effort.device
        )
        for look, beside in looks:
            maker.beside = work * beside / self._tiling.count
            if isinstance(look, DenoisedTile):
                yield self._drawn(look, work, shared=False)
            else:
                plane, tile, fit = look.noisy.plane, look.noisy.tile, look.fit
                yield maker.step(plane, tile, look.problem, fit.best, fit, work)

    def _drawn(self, done: DenoisedTile, work: float, *, shared: bool) -> DenoiseStep:
        """Write a tile, and its plane's record after the last of them.

        Parameters
        ----------
        done : DenoisedTile
            The tile.
        work : float
            On the plane, less what was trained before.
        shared : bool
            Whether the plane shares networks with others.
        """
        if done.tile.number == 0 or self._plane is None:
            self._plane = PlaneAssembly(self._output, done.plane)
        self._plane.add(done)
        self._maker.work += work / self._tiling.count
        if done.tile.number == self._tiling.count - 1:
            self._ledger.add(replace(self._plane.record(), shared=shared))
            self._plane = None
        return self._maker.step(done.plane, done.tile, done.problem, done.result, None)

    def _problem(self, plane: Plane, window: tuple[slice, slice]) -> NoisyPlane:
        """Return a part of a plane under a noise model of its own."""
        return measure_plane(*self._source.read(plane, window), self._spacing_yx)


def _shared(learned: SharedNetworks | None, number: int) -> SharedNetworks | None:
    """Return what a plane of the series is denoised with, if it belongs to it."""
    belongs = learned is not None and learned.planes.beside(number) is not None
    return learned if belongs else None
