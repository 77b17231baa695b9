"""Two strategies for volumes: a function alone, or networks and filters."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np

from napari_inr_denoise.core.candidates.shared import SharedNetworks, shares_networks
from napari_inr_denoise.core.candidates.siren_volume import VolumeFit, limited_steps
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.output.assembly import DenoisedTile
from napari_inr_denoise.core.pipeline.output.result import DenoiseStep
from napari_inr_denoise.core.pipeline.plan import Strategy
from napari_inr_denoise.core.pipeline.planes.passthrough import passthrough_result
from napari_inr_denoise.core.pipeline.planes.plane_report import (
    TileRecord,
    join_records,
)
from napari_inr_denoise.core.pipeline.strategies.independent_tiles import (
    fit_independently,
)
from napari_inr_denoise.core.pipeline.strategies.run_context import (
    RunContext,
    Steps,
    jobs_at_once,
    read_tiles,
    show_noise,
    train_networks,
)
from napari_inr_denoise.core.pipeline.volume.volume_planes import STAGES, VolumePlanes
from napari_inr_denoise.core.pipeline.volume.volume_run import VolumeRun
from napari_inr_denoise.core.report.report import PlaneReport
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.stack.series import SeriesTile
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.tiling import Tile, Tiling

_FUNCTION_SHARE = 0.3
"""Share of the work on a volume up to the end of the fit of its function."""
_TRAINING_SHARE = 0.3
"""Share of the training of the networks that its planes share."""


def function_of_planes(run: RunContext, planes: Sequence[Plane]) -> Steps:
    """Fit planes along Z as one function of (z, y, x), with the published method."""
    yield from show_noise(run, planes)
    volume = yield from _read_volume(run, planes)
    settings = run.budget.settings
    fit = yield from _fit_function(run, planes, volume, settings)
    if fit is not None:
        run.state.volumes.append(fit.function)
    yield from _write_volume(run, planes, volume, fit)


def volume_of_planes(run: RunContext, planes: Sequence[Plane]) -> Steps:
    """Denoise planes along Z by shared networks and filters in 3D.

    A function of (z, y, x) is fitted first. It shows any plane until there is a better
    result, and takes the result's values at the voxels in the end. A plane that does
    not belong to the others is denoised independently.
    """
    yield from show_noise(run, planes)
    volume = yield from _read_volume(run, planes)
    settings = limited_steps(run.budget.settings)
    fit = yield from _fit_function(run, planes, volume, settings, _FUNCTION_SHARE)
    if fit is None:
        yield from _write_volume(run, planes, volume, None)
        return
    run.progress.advance(_FUNCTION_SHARE)
    if run.plan.tiling.count == 1:
        run.state.volume = volume, replace(fit, reason=StopReason.CALLER)
    networks = None
    if shares_networks(settings, len(planes)):
        networks = yield from train_networks(run, planes, _TRAINING_SHARE)
    if networks is None:
        run.progress.advance(_TRAINING_SHARE)
    problem = volume.plane(volume.middle)
    written = _Written(run, planes, problem.plane_yxs.shape[2])
    for tile in run.plan.tiling.tiles:
        yield from _denoise_tile(run, planes, tile, networks, volume, written)
    run.state.volumes.append(fit.function.through(written.values_zyxs))
    yield from _end(run, planes, problem, written.record())


class _Written:
    """Writer of the planes of a volume, tile by tile.

    Parameters
    ----------
    run : RunContext
        The run.
    planes : sequence of Plane
        The planes along Z.
    samples : int
        Values of a pixel.

    Attributes
    ----------
    values_zyxs : ndarray of float32
        The result.
    """

    def __init__(self, run: RunContext, planes: Sequence[Plane], samples: int) -> None:
        self._outputs = [run.state.output.plane(plane) for plane in planes]
        shape = (len(planes), *run.plan.tiling.shape_yx, samples)
        self.values_zyxs = np.zeros(shape, dtype=np.float32)
        self._records: list[TileRecord] = []

    def add(self, number: int, done: DenoisedTile) -> None:
        """Write a tile of a plane; the tiles of each in the tiling's order."""
        self._outputs[number].add(done.tile, done.problem, done.result)
        weights = done.tile.weights_yx[..., None]
        at = (number, *done.tile.window)
        self.values_zyxs[at] += weights * done.result.plane_yxs
        index = {k: place for k, place in done.record.report.index.items() if k != "Z"}
        report = replace(done.record.report, index=index)
        self._records.append(replace(done.record, report=report))

    def record(self) -> PlaneReport:
        """Return the single record of the volume."""
        return join_records(self._records)


def _denoise_tile(
    run: RunContext,
    planes: Sequence[Plane],
    tile: Tile,
    networks: SharedNetworks | None,
    volume: VolumeRun,
    written: _Written,
) -> Steps:
    """Denoise a tile of all planes, and write it."""
    share = (1 - _FUNCTION_SHARE - _TRAINING_SHARE) / run.plan.tiling.count
    results: dict[int, tuple[SeriesTile, FitResult]] = {}
    settings = run.plan.settings
    if networks is not None:
        run.at_work = jobs_at_once(run, run.plan.concurrent_tiles)
        together = VolumePlanes(
            networks, tile, settings, run.budget.device, run.at_work
        )
        work, results = share / (STAGES * len(planes)), together.results
        with closing(together.steps()) as steps:
            for found in steps:
                if found is not None:
                    number, values_yxs = found
                    run.progress.advance(work)
                    share = max(share - work, 0.0)
                    if run.plan.tiling.count == 1:
                        volume.newest[number] = values_yxs
                yield replace(run.progress.last, progress=run.progress.now)
    for number, plane in enumerate(planes):
        if number in results:
            member, result = results[number]
            done = DenoisedTile.of(
                plane, tile, member.problem, result, settings.strength
            )
        else:
            done = yield from _apart(run, plane, tile)
        written.add(number, done)
    run.progress.advance(share)


def _apart(
    run: RunContext, plane: Plane, tile: Tile
) -> Generator[DenoiseStep, None, DenoisedTile]:
    """Denoise a tile by networks of its own."""
    run.at_work = 1
    noisy = read_tiles(run, [(plane, tile)])
    updates = fit_independently(
        noisy,
        run.spacing_zyx[1:],
        run.budget.settings,
        run.budget.device,
        previews=False,
    )
    for update, _ in updates:
        if isinstance(update, DenoisedTile):
            done = update
        yield run.progress.last
    return done


def _read_volume(
    run: RunContext, planes: Sequence[Plane]
) -> Generator[DenoiseStep, None, VolumeRun]:
    """Read the planes as one volume, each in one tile."""
    shape_yx = run.plan.tiling.shape_yx
    whole = Tiling.of(shape_yx, max(shape_yx))

    def read() -> VolumeRun:
        series = run.series(planes, 0, whole)
        strength = run.plan.settings.strength
        return VolumeRun(series, planes, run.spacing_zyx, strength)

    return (yield from run.progress.while_waiting(read))


def _fit_function(
    run: RunContext,
    planes: Sequence[Plane],
    volume: VolumeRun,
    settings: DenoiseSettings,
    share: float = 1.0,
) -> Generator[DenoiseStep, None, VolumeFit | None]:
    """Fit the function of a volume; None if there is no noise."""
    problem = volume.plane(volume.middle)
    if passthrough_result(replace(problem, noise=volume.noise)) is not None:
        return None
    fitting = GeneratorResult(volume.steps(settings, run.budget.device))
    for fit, step in fitting:
        if run.plan.tiling.count == 1:
            run.state.volume = volume, fit
        plane, work = planes[volume.middle], share * run.plan.tiling.count
        yield run.progress.step(plane, None, problem, step.best, step, work)
    return fitting.result


def _write_volume(
    run: RunContext,
    planes: Sequence[Plane],
    volume: VolumeRun,
    fit: VolumeFit | None,
) -> Steps:
    """Write the function at the voxels, or the volume unchanged without a fit."""
    problem = volume.plane(volume.middle)
    found: VolumeFit | FitResult | None = fit
    if found is None:
        found = passthrough_result(replace(problem, noise=volume.noise))
        assert found is not None
    for _ in (writing := GeneratorResult(volume.write(found, run.state.output.plane))):
        if fit is not None:
            yield run.progress.last
    yield from _end(run, planes, problem, writing.result)


def _end(
    run: RunContext, planes: Sequence[Plane], problem: NoisyPlane, record: PlaneReport
) -> Steps:
    """Add the record of a volume, and show that it is finished."""
    done = float(run.plan.strategy is Strategy.FUNCTION)
    run.state.finished_planes.add(record)
    run.state.volume = None
    run.progress.advance(done)
    ended = FitResult(
        problem.measured_yxs.astype(np.float32),
        record.residual_rms,
        record.steps,
        StopReason(record.reason),
    )
    yield run.progress.step(planes[len(planes) // 2], None, problem, ended, None)
