"""One image from its first plane to its last."""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence

from napari_inr_denoise.core.pipeline.memory import ComputeBudget
from napari_inr_denoise.core.pipeline.output.progress import Progress
from napari_inr_denoise.core.pipeline.output.result import DenoiseResult, DenoiseStep
from napari_inr_denoise.core.pipeline.output.state import Outputs, RunState
from napari_inr_denoise.core.pipeline.plan import Plan
from napari_inr_denoise.core.pipeline.strategies.registry import STRATEGIES
from napari_inr_denoise.core.pipeline.strategies.run_context import RunContext, Steps
from napari_inr_denoise.core.pipeline.volume.check import check_volume
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.repeats import without_repeats
from napari_inr_denoise.image.source import ImageSource

DenoiseSteps = Generator[DenoiseStep, None, DenoiseResult]


class Run:
    """The work on an image: its series one after the other, by the plan's strategy.

    Parameters
    ----------
    source : ImageSource
        The noisy image.
    axes : str
        One letter per dimension.
    settings : DenoiseSettings
        How to denoise.
    spacing_zyx : tuple of float
        Size of a voxel; any one unit.
    outputs : Outputs
        Where the result and its maps are written.
    previews : bool
        Whether somebody looks at the steps.
    """

    def __init__(
        self,
        source: ImageSource,
        axes: str,
        settings: DenoiseSettings,
        spacing_zyx: tuple[float, float, float],
        outputs: Outputs,
        *,
        previews: bool = True,
    ) -> None:
        kept, spacing_zyx, repeats = without_repeats(source, axes, spacing_zyx)
        if settings.mode == "volume":
            check_volume(axes, kept.shape, settings)
        plan = Plan.of(axes, kept.shape, settings)
        budget = ComputeBudget(settings, plan.device)
        self._state = RunState(source, axes, plan, budget, outputs, repeats)
        progress = Progress(self._state, plan.tiling.count)
        self._context = RunContext(
            kept, spacing_zyx, plan, budget, self._state, progress, previews
        )

    def steps(self) -> DenoiseSteps:
        """Denoise the planes."""
        for planes in self._context.plan.batches:
            yield from self._whole(planes)
        return self._state.result()

    def take_over(self, earlier: DenoiseResult) -> None:
        """Take the finished planes of a run of the same image that was stopped.

        Raises
        ------
        ValueError
            If it was a run of another image or with other settings.
        """
        self._state.take_over(earlier)

    def _whole(self, planes: Sequence[Plane]) -> Steps:
        """Denoise planes, again with less each time that memory runs out."""
        run = self._context
        while True:
            run.progress.restart()
            run.at_work = 1
            try:
                if any(plane not in self._state.finished_planes for plane in planes):
                    yield from STRATEGIES[run.plan.strategy](run, planes)
            except (MemoryError, RuntimeError) as error:
                # What is finished stays; the others are tried with less.
                if not run.budget.relieved(error, run.at_work):
                    raise
            else:
                return
            # The error and what has failed refer to each other, and memory is short.
            gc.collect()
