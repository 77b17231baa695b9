"""The steps that a run yields, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TypeVar

from napari_inr_denoise.core.compute.generators import GeneratorResult, run_in_thread
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.result import DenoiseStep
from napari_inr_denoise.core.pipeline.state import RunState
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.tiling import Tile

_Found = TypeVar("_Found")


class Progress:
    """Makes the steps of a run, and tells how far it is.

    Parameters
    ----------
    so_far : RunState
        What every step may be asked for.
    tiles : int
        Of each plane.

    Attributes
    ----------
    beside : float
        Work done on planes that are at work beside the one that is shown, in planes.
    last : DenoiseStep
        The last step that was made. It is yielded again while there is nothing new to
        show, so that a caller can stop.
    """

    def __init__(self, so_far: RunState, tiles: int) -> None:
        self._so_far, self._tiles = so_far, tiles
        self._done = self.beside = 0.0
        self.last: DenoiseStep

    def restart(self) -> None:
        """Count the finished planes alone: what was at work is done again."""
        self._done, self.beside = float(len(self._so_far.ledger)), 0.0

    def advance(self, work: float) -> None:
        """Count work as done, in planes; a training that planes share is part of it."""
        self._done += work

    def step(
        self,
        plane: Plane,
        tile: Tile | None,
        problem: NoisyPlane,
        result: FitResult,
        fit: FitStep | None,
        work: float = 1.0,
    ) -> DenoiseStep:
        """Return a look at a plane or tile; see `DenoiseStep`.

        Of the work on the plane, `work` was left when its own fits began.
        """
        ledger = self._so_far.ledger
        share = work * fit.progress / self._tiles if fit is not None else 0.0
        self.last = DenoiseStep(
            plane_number=len(ledger) - (plane in ledger),
            plane_count=ledger.count,
            tile_number=tile.number if tile is not None else 0,
            tile_count=self._tiles,
            plane=plane,
            problem=problem,
            result=result,
            fit=fit,
            progress=self._progress(share),
            learning=False,
            _run=self._so_far,
        )
        return self.last

    def learning(
        self,
        plane: Plane,
        problem: NoisyPlane,
        best: FitResult,
        fit: FitStep,
        share: float,
    ) -> DenoiseStep:
        """Return a look while a network is trained that planes share.

        Parameters
        ----------
        plane, problem, best, fit
            As for `step`.
        share : float
            Of the work on a plane that the training has done.
        """
        step = self.step(plane, None, problem, best, fit)
        self.last = replace(step, learning=True, progress=self._progress(share))
        return self.last

    def _progress(self, share: float) -> float:
        return min((self._done + self.beside + share) / self._so_far.ledger.count, 1.0)

    def while_waiting(
        self, work: Callable[[], _Found]
    ) -> Generator[DenoiseStep, None, _Found]:
        """Work on what cannot look up."""
        for _ in (run := GeneratorResult(run_in_thread(work))):
            yield self.last
        return run.result
