"""Results of the planes of a volume: predicted one by one, filtered together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.shared import SharedNetworks
from napari_inr_denoise.core.compute.concurrency import map_ordered
from napari_inr_denoise.core.ensemble.filters.post_filters import Estimate, kept_finite
from napari_inr_denoise.core.ensemble.filters.volume_filters import (
    FARTHEST,
    STACK_FILTERS,
    VOLUME_FILTERS,
    VolumeFilter,
    VolumePlane,
)
from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.planes.passthrough import passthrough_result
from napari_inr_denoise.core.pipeline.planes.plane import Combined, limited_result
from napari_inr_denoise.core.pipeline.planes.shared_planes import SharedPlanes
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.stack.series import SeriesTile
from napari_inr_denoise.core.sampling.stack.similarity import distance_to_next
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.image.tiling import Tile

_Result = TypeVar("_Result")
Newest = tuple[int, NDArray[np.float32]]
"""Number of a plane, and its result so far, in the image's units."""
STAGES = 2 + len(VOLUME_FILTERS)
"""Prediction, each filter, and the limits with the estimated error."""


class VolumePlanes:
    """One tile of all planes of a volume that share networks.

    Parameters
    ----------
    trained : SharedNetworks
        The networks, and the series of planes.
    tile : Tile
        The tile.
    settings : DenoiseSettings
        Gives the seed of the held-out pixels.
    device : torch.device
        Where to compute.
    at_once : int
        Planes that are worked on at the same time.

    Attributes
    ----------
    results : dict of int to (SeriesTile, FitResult)
        The finished planes, by their number.
    """

    def __init__(
        self,
        trained: SharedNetworks,
        tile: Tile,
        settings: DenoiseSettings,
        device: torch.device,
        at_once: int,
    ) -> None:
        self._series, self._seed = trained.planes, settings.seed
        self._rounds = settings.ridge_rounds
        self._device, self._at_once = device, at_once
        self._shared = SharedPlanes(trained, settings, device, at_once)
        self._members: dict[int, SeriesTile] = {}
        self._combined: dict[int, Combined] = {}
        self.results: dict[int, tuple[SeriesTile, FitResult]] = {}
        for number in range(self._series.count):
            if self._series.context_numbers(number) is None:
                continue
            member = self._series.member(number, tile)
            unchanged = passthrough_result(member.problem)
            if unchanged is None:
                self._members[number] = member
            else:
                self.results[number] = member, unchanged

    def steps(self) -> Generator[Newest | None, None, None]:
        """Denoise the planes.

        Yields
        ------
        (int, ndarray) or None
            Up to `STAGES` times a result of each plane. None between them, often
            enough for a caller to stop.
        """
        yield from self._combine(self._members, self._predicted)
        runs = self._runs()
        for run in runs:
            problems = [self._members[number].problem for number in run]
            continues = len(run) > 1 and distance_to_next(problems) <= FARTHEST
            filters = VOLUME_FILTERS if continues else STACK_FILTERS
            for apply in filters.values():
                estimates = [self._combined[number].estimate for number in run]
                planes = list(zip(problems, estimates, strict=True))
                job = partial(self._filtered, apply, run, planes)
                yield from self._combine(run, job)
        for done in self._each(self._members, self._finished):
            if done is None:
                yield None
                continue
            number, result = done
            self.results[number] = self._members[number], result
            yield self._shown(number, result.plane_yxs)

    def _combine(
        self,
        numbers: Collection[int],
        job: Callable[[int], Generator[None, None, Combined]],
    ) -> Generator[Newest | None, None, None]:
        """Run a job for each plane, and keep and show what it returns."""
        for found in self._each(numbers, job):
            if found is None:
                yield None
                continue
            number, combined = found
            self._combined[number] = combined
            yield self._shown(number, combined.estimate.plane_yxs)

    def _shown(self, number: int, plane_yxs: NDArray[np.float32]) -> Newest:
        return number, self._members[number].problem.restored(plane_yxs)

    def _each(
        self,
        numbers: Collection[int],
        job: Callable[[int], Generator[None, None, _Result]],
    ) -> Generator[tuple[int, _Result] | None, None, None]:
        """Run a job for each plane, some at once; yield the results in order."""
        waiting = iter(numbers)
        jobs = (job(number) for number in numbers)
        with closing(map_ordered(jobs, self._at_once)) as results:
            for found in results:
                yield None if found is None else (next(waiting), found)

    def _runs(self) -> list[list[int]]:
        """Return the numbers of planes that are next to each other and look alike.

        Where nearer planes share noise, these are several runs that alternate.
        """
        runs: list[list[int]] = []
        for number, combined in self._combined.items():
            if combined.reason is StopReason.NON_FINITE:
                continue
            beside = self._series.beside(number)
            run = next((one for one in runs if one[-1] in beside), None)
            if run is None:
                runs.append(run := [])
            run.append(number)
        return runs

    def _predicted(self, number: int) -> Generator[None, None, Combined]:
        return self._shared.combination(self._members[number])

    def _filtered(
        self,
        apply: VolumeFilter,
        run: Sequence[int],
        planes: Sequence[tuple[NoisyPlane, Estimate]],
        number: int,
    ) -> Generator[None, None, Combined]:
        yield
        problems, estimates = zip(*planes, strict=True)
        plane = VolumePlane(
            problems, estimates, run.index(number), self._device, self._rounds
        )
        before = self._combined[number]
        found = kept_finite(apply(plane), before.estimate)
        return replace(before, estimate=found)

    def _finished(self, number: int) -> Generator[None, None, FitResult]:
        yield
        member = self._members[number]
        held_out = member.held_out(self._seed)
        combined = self._combined[number]
        return limited_result(member.problem, combined, held_out, self._device)
