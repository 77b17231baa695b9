"""Progress of a run, and the steps that it yields."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import TypeVar

from napari_inr_denoise.core.compute.generators import GeneratorResult, run_in_thread
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.output.result import DenoiseStep
from napari_inr_denoise.core.pipeline.output.state import RunState
from napari_inr_denoise.core.pipeline.planes.image_units import (
    in_image_units,
    step_in_image_units,
)
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.tiling import Tile

_Found = TypeVar("_Found")


class Progress:
    """Makes the steps of a run, and counts the work that is done.

    Parameters
    ----------
    state : RunState
        State of the run, which every step gives access to.
    tiles : int
        Number of tiles of each plane.

    Attributes
    ----------
    other_work : float
        Work done on unfinished planes other than the one that is shown, in planes.
    last : DenoiseStep
        The last step. It is yielded again while there is nothing new to show, so that
        the caller can stop.
    """

    def __init__(self, state: RunState, tiles: int) -> None:
        self._state, self._tiles = state, tiles
        self._done = self.other_work = 0.0
        self.last: DenoiseStep

    def restart(self) -> None:
        """Reset the work to the finished planes; the others are done again."""
        self._done, self.other_work = float(len(self._state.finished_planes)), 0.0

    def advance(self, work: float) -> None:
        """Add work that is done, in planes. It includes the training of networks."""
        self._done += work

    @property
    def now(self) -> float:
        """Share of the whole run that is done, 0 to 1."""
        return self._progress(0.0)

    def step(
        self,
        plane: Plane,
        tile: Tile | None,
        problem: NoisyPlane,
        result: FitResult,
        fit: FitStep | None,
        work: float = 1.0,
    ) -> DenoiseStep:
        """Return a step that shows a plane or tile; see `DenoiseStep`.

        Parameters
        ----------
        plane, tile, problem, result, fit
            As in `DenoiseStep`, but the plane may be divided, see
            `NoisyPlane.original`. `tile` is None for a whole plane.
        work : float
            Share of the work on the plane that was left when its own fits began.
        """
        if fit is not None:
            fit = step_in_image_units(problem, fit)
        problem, result = in_image_units(problem, result)
        finished = self._state.finished_planes
        share = work * fit.progress / self._tiles if fit is not None else 0.0
        self.last = DenoiseStep(
            plane_number=len(finished) - (plane in finished),
            plane_count=finished.count,
            tile_number=tile.number if tile is not None else 0,
            tile_count=self._tiles,
            plane=plane,
            problem=problem,
            result=result,
            fit=fit,
            progress=self._progress(share),
            learning=False,
            _run=self._state,
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
        """Return a step of the training of shared networks.

        Parameters
        ----------
        plane, problem, best, fit
            As for `step`.
        share : float
            Work done by the training so far, in planes.
        """
        step = self.step(plane, None, problem, best, fit)
        self.last = replace(step, learning=True, progress=self._progress(share))
        return self.last

    def _progress(self, share: float) -> float:
        done = self._done + self.other_work + share
        # Sums of the same parts in another order must not go back.
        return min(round(done / self._state.finished_planes.count, 9), 1.0)

    def while_waiting(
        self, work: Callable[[], _Found]
    ) -> Generator[DenoiseStep, None, _Found]:
        """Call a function in a worker thread, and yield the last step meanwhile."""
        for _ in (run := GeneratorResult(run_in_thread(work))):
            yield self.last
        return run.result
