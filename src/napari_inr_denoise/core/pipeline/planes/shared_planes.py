"""Results of the planes of a series, from the networks that they share."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import torch

from napari_inr_denoise.core.candidates.shared import SharedNetworks
from napari_inr_denoise.core.compute.generator_cache import GeneratorCache
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.pipeline.planes.passthrough import passthrough_result
from napari_inr_denoise.core.pipeline.planes.plane import (
    Combined,
    combine_candidates,
    finished_result,
)
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.stack.series import SeriesTile
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.image.tiling import Tile


class SharedPlanes:
    """The planes of a series, each with those beside it.

    Parameters
    ----------
    trained : SharedNetworks
        The networks and their series.
    settings : DenoiseSettings
        Gives the seed of the held-out pixels and the rounds of averaging.
    device : torch.device
        Where to compute.
    at_once : int
        Number of jobs that run at the same time.
    """

    def __init__(
        self,
        trained: SharedNetworks,
        settings: DenoiseSettings,
        device: torch.device,
        at_once: int,
    ) -> None:
        self._trained, self._device = trained, device
        self._seed, self._rounds = settings.seed, settings.ridge_rounds
        tiles = trained.planes.tiling.count
        self._combined = GeneratorCache[Combined]((2 * tiles) + 1 + at_once)

    def result(
        self, number: int, tile: Tile
    ) -> tuple[SeriesTile, Generator[None, None, FitResult]]:
        """Return a tile of a plane, and the job that denoises it.

        Parameters
        ----------
        number : int
            Index of the plane in the series.
        tile : Tile
            Tile of the plane, which is read here and not in the job.
        """
        series = self._trained.planes
        member = series.member(number, tile)
        beside = [series.member(other, tile) for other in series.beside(number)]
        return member, self._result(member, beside)

    def _result(
        self, member: SeriesTile, beside: Sequence[SeriesTile]
    ) -> Generator[None, None, FitResult]:
        unchanged = passthrough_result(member.problem)
        if unchanged is not None:
            return unchanged
        similar = []
        # The last first: the job of the next plane is waiting for the others.
        for one in reversed(beside):
            if passthrough_result(one.problem) is None:
                other = yield from self.combination(one)
                if other.reason is not StopReason.NON_FINITE:
                    similar.append((one.problem, other.estimate))
        combined = yield from self.combination(member)
        held_out = member.held_out(self._seed)
        return finished_result(
            member.problem,
            combined,
            held_out,
            self._device,
            similar[::-1],
            rounds=self._rounds,
        )

    def combination(self, member: SeriesTile) -> Generator[None, None, Combined]:
        """Return the combined predictions of a tile, before those beside are seen."""

        def compute() -> Generator[None, None, Combined]:
            for _ in (predicted := GeneratorResult(self._trained.predictions(member))):
                yield
            return combine_candidates(
                member.problem,
                predicted.result,
                member.held_out(self._seed),
                self._device,
                shared=True,
            )

        return (yield from self._combined.get(member.part, compute))
