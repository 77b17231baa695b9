"""Measurement of the middle series of an image, under the plan of the run."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np

from napari_inr_denoise.core.candidates.shared import can_share, shares_networks
from napari_inr_denoise.core.candidates.siren_volume import (
    VolumeProblem,
    limited_steps,
)
from napari_inr_denoise.core.compute.concurrency import runs_in_threads
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.white.whitened import whitened
from napari_inr_denoise.core.pipeline.memory import (
    expected_memory_gb,
    volume_memory_gb,
)
from napari_inr_denoise.core.pipeline.plan import Plan, Strategy
from napari_inr_denoise.core.preflight.cost_model import Workload
from napari_inr_denoise.core.preflight.timing import (
    Measuring,
    Pace,
    function_pace,
    network_paces,
    other_pace,
    volume_pace,
)
from napari_inr_denoise.core.sampling.stack.parts import Values, spread
from napari_inr_denoise.core.sampling.stack.series import Series, SeriesTile
from napari_inr_denoise.core.sampling.stack.stack_noise import StackNoise, planes_apart
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.image.source import ImageSource

_COMPARED = 3
"""Planes that are compared with their neighbours in the series."""
_SIDE, _DEPTH = 256, 4
"""Side in pixels and planes of the measured part; large enough for full batches."""
_EARLY, _USUAL = 0.1, 0.35
"""Shares of its steps after which the function of a volume has come down to the noise:
in the least time, and usually (76 to 253 of 600 steps on four volumes)."""
_MIN_SIDE = 128
"""Smallest side where a mask selects few pixels; smaller parts are slower per pixel."""


class MeasuredRun:
    """Measurement on the middle series of an image, under the plan of the run.

    Parameters
    ----------
    source : ImageSource
        The image.
    axes : str
        A letter for each of its axes.
    settings : DenoiseSettings
        Settings of the run.
    spacing_zyx : tuple of float
        Size of a voxel in micrometres.
    previews : bool
        Whether planes are predicted during the training, to be shown.

    Attributes
    ----------
    plan : Plan
        Tiles, series and strategy of the run.
    at_most : bool
        Whether `seconds` gives an upper limit.
    together : bool
        Whether planes share networks.
    finishing_s : float
        Seconds of a plane after its training; known after `seconds`.
    steps : tuple of float
        Fewest and most steps of a training; known after `seconds`.
    """

    def __init__(
        self,
        source: ImageSource,
        axes: str,
        settings: DenoiseSettings,
        spacing_zyx: tuple[float, float, float],
        *,
        previews: bool,
    ) -> None:
        self._settings, self._spacing = settings, spacing_zyx
        self._previews = previews
        self.plan = Plan.of(axes, source.shape, settings)
        self.device, self.tiling = self.plan.device, self.plan.tiling
        self._as_function = self.plan.strategy is Strategy.FUNCTION
        self.at_most = self._as_function or not can_share(settings)
        self._series = len(self.plan.series)
        middle = self.plan.series[self._series // 2]
        self._count = len(middle)
        self._inside = [
            source.share_inside(middle[number], tile.window)
            for number in spread(self._count, _COMPARED)
            for tile in self.tiling.tiles
        ]
        # Without the mask, because the measured part might lie outside of it.
        plain = source.without_mask
        started = time.perf_counter()

        def read(number: int, window: tuple[slice, slice]) -> Values:
            return plain.read(middle[number], window)

        self._planes = Series(
            read,
            self._count,
            self.tiling,
            spacing_zyx[1:],
            settings.context,
            StackNoise(distance=planes_apart(read, self._count, self.tiling.shape_yx)),
        )
        shares = self.plan.tiles_share or shares_networks(settings, self._count)
        if can_share(settings) and shares:
            self._planes.even_out()
        self._noise_seconds = time.perf_counter() - started
        self._read_seconds = self._measured_read()  # per tile
        self._comparison_seconds = 0.0  # per plane
        self.together = self._related()
        self.finishing_s = 0.0
        self.steps = 0.0, 0.0

    def _measured_read(self) -> float:
        """Return the seconds to read a tile with its noise and hot pixels."""
        started = time.perf_counter()
        tile = self.tiling.tiles[self.tiling.count // 2]
        self._planes.problem(self._count // 2, tile)
        return time.perf_counter() - started

    def _related(self) -> bool:
        volume = self.plan.strategy is Strategy.VOLUME
        volume = volume and shares_networks(self._settings, self._count)
        if not (volume or self.plan.strategy is Strategy.SERIES):
            return False
        chosen = spread(self._count, _COMPARED)
        started = time.perf_counter()
        related = [
            self._planes.context_numbers(number) is not None for number in chosen
        ]
        self._comparison_seconds = (time.perf_counter() - started) / len(chosen)
        return 2 * sum(related) >= len(related)

    @property
    def memory_gb(self) -> float:
        """Memory of the run without image and result, in GB."""
        settings, samples = self._settings, self.plan.samples
        if self._as_function or self.plan.strategy is Strategy.VOLUME:
            shape = self._count, *self.tiling.shape_yx
            tile = self.tiling.most_pixels
            return volume_memory_gb(settings, samples, shape, tile, self.device)
        pixels = self.tiling.most_pixels * self._at_once
        return expected_memory_gb(settings, samples, pixels, self.device)

    @property
    def _at_once(self) -> int:
        """Number of planes or tiles that are denoised at once."""
        plan, planes = self.plan, self._count
        most = plan.concurrent_tiles if self._shares else plan.concurrent_fits
        if plan.strategy is Strategy.INDEPENDENT and not self._shares:
            # Planes of all series are then fitted at once.
            planes *= self._series
        return min(most(self.device), planes * self.tiling.count)

    @property
    def _shares(self) -> bool:
        """Whether planes or tiles share networks."""
        return self.together or self.plan.tiles_share

    def seconds(self) -> Measuring[tuple[float, tuple[float, float]]]:
        """Measure the expected duration and its range; 0 if there is no noise."""
        if not self._planes.noise.model.sigma > 0:
            return 0.0, (0.0, 0.0)
        yield
        each = (
            yield from self._of_function() if self._as_function else self._of_series()
        )
        if self.plan.strategy is Strategy.VOLUME:
            each = yield from self._of_volume(each)
        low, usual, high = (self._series * one for one in each)
        return usual, (low, high)

    def _sample(self) -> SeriesTile:
        """Return the centre of the middle plane, with its context slices."""
        tile = self.tiling.tiles[self.tiling.count // 2]
        member = self._planes.member(self._count // 2, tile)
        context = member.context if self.together else ()
        height, width = member.problem.fitted_yx.shape
        # Steps draw fewer pixels if a mask leaves few training targets.
        inside = sum(self._inside) / len(self._inside)
        most = _SIDE if inside == 1 else math.isqrt(int(inside * height * width))
        side = max(min(most, _SIDE), _MIN_SIDE)
        window = _centre(height, side), _centre(width, side)
        return replace(member, context=context).cropped(window)

    def _of_series(self) -> Measuring[tuple[float, float, float]]:
        sample, settings = self._sample(), self._settings
        rendered = sum(tile.weights_yx.size for tile in self.tiling.tiles)
        white, fewer, started = None, 1.0, time.perf_counter()
        if can_share(settings) and not self.together:
            white = whitened(sample.problem)
        transforming = time.perf_counter() - started
        if white is not None:
            fewer = white.problem.fitted_yx.size / sample.problem.fitted_yx.size
            sample = replace(sample, problem=white.problem)
        workload = Workload(
            planes=self._count,
            pixels=round(fewer * math.prod(self.tiling.shape_yx)),
            rendered=round(fewer * rendered),
            together=self.together,
            tiled=self.tiling.count > 1 and white is None,
            settings=settings,
            at_once=runs_in_threads(len(settings.candidate_names), self.device),
            correlated=sample.problem.noise.correlated,
            previews=self._previews,
        )
        at_once = self._at_once
        if not (self._shares or runs_in_threads(at_once, self.device)):
            # On a GPU the fits take turns, which a short measurement does not show.
            # The estimate is then the time of one fit after the other, an upper limit.
            at_once = 1
        paces = yield from network_paces(
            sample, workload.parts, settings, self.device, workload.shares, at_once
        )
        yield
        series = self.plan.strategy is Strategy.SERIES and self.together
        beside = len(self._planes.beside(self._count // 2)) if series else 0
        other = other_pace(sample.problem, beside, settings, self.device, at_once)
        if not workload.shares:
            times = settings.n_augmentations if can_share(settings) else 1
            pixel = times * sum(pace.pixel for pace in paces.values())
            pixel += other.filters
            self.finishing_s = pixel * workload.pixels
        before = self._preparation(workload) if workload.shares else 0.0
        if white is not None:  # the noise was measured on the transformed plane above
            tiles = self._count * self.tiling.count
            before = self._noise_seconds + tiles * (self._read_seconds + transforming)
        fits = self._fits()
        fewest, most = workload.steps(paces)
        self.steps = fits * fewest, fits * most
        low, usual, high = (
            before + fits * workload.seconds(paces, other, share)
            for share in (0.0, None, 1.0)
        )
        return low, usual, high

    def _fits(self) -> int:
        """Return how often a tile is fitted: once for each noise level in it."""
        if self._shares or not can_share(self._settings):
            return 1
        tile = self.tiling.tiles[self.tiling.count // 2]
        problem = self._planes.problem(self._count // 2, tile)
        found = measure_plane(problem.plane_yxs, problem.valid_yx).regions
        return max(len(found), 1)

    def _preparation(self, workload: Workload) -> float:
        """Return the seconds for common noise, comparison and reading of planes.

        Every training reads its parts. Each plane is read again to be predicted.
        """
        trainings = 1 if self.together else self._count
        reads = trainings * workload.parts + self._count * self.tiling.count
        compared = self._comparison_seconds * self._count
        return self._noise_seconds + compared + self._read_seconds * reads

    def _of_volume(
        self, stack: tuple[float, float, float]
    ) -> Measuring[tuple[float, float, float]]:
        """Return the seconds of a volume, given those of its planes as a stack."""
        member = self._sample()
        problem = member.problem
        filters = volume_pace(problem, min(self._count, _DEPTH), self.device)
        voxels = self._count * sum(one.weights_yx.size for one in self.tiling.tiles)
        settings = limited_steps(self._settings)
        yield
        pace = yield from self._function_pace(settings)
        seconds = [one + voxels * (filters + pace.pixel) for one in stack]
        steps = settings.siren.max_steps
        shares = _EARLY, _USUAL, 1.0
        low, usual, high = (
            one + share * steps * pace.step
            for one, share in zip(seconds, shares, strict=True)
        )
        return low, usual, high

    def _of_function(self) -> Measuring[tuple[float, float, float]]:
        pace = yield from self._function_pace(self._settings)
        voxels = self._count * math.prod(self.tiling.shape_yx)
        most = self._settings.siren.max_steps * pace.step + voxels * pace.pixel
        return most, most, most

    def _function_pace(self, settings: DenoiseSettings) -> Measuring[Pace]:
        problem = self._sample().problem
        values = problem.plane_yxs.transpose(2, 0, 1).astype(np.float32)
        part = VolumeProblem(
            np.repeat(values[:, None], _DEPTH, axis=1),
            np.repeat(problem.fitted_yx[None], _DEPTH, axis=0),
            problem.noise,
            self._spacing,
        )
        yield
        return function_pace(part, settings, self.device)


def _centre(size: int, most: int) -> slice:
    first = max(size - most, 0) // 2
    return slice(first, min(first + most, size))
