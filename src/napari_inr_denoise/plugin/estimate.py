"""What is found out before a run, in a thread: the noise, and what the run takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.source import LayerSource
from napari_inr_denoise.plugin.turns import estimating
from napari_inr_denoise.plugin.worker import StoppableWorker

if TYPE_CHECKING:
    from napari_inr_denoise.core.preflight import Preflight
    from napari_inr_denoise.core.problem import FitProblem

LOOKED_AT = 1024
"""Side of what is looked at of a large slice, in pixels: enough to tell the noise."""


@dataclass(frozen=True)
class Question:
    """What is to be estimated.

    Attributes
    ----------
    slice_source : LayerSource
        The slice whose noise is wanted.
    source : LayerSource or None
        What will be denoised; None if only the noise is wanted.
    settings : DenoiseSettings
        How.
    """

    slice_source: LayerSource
    source: LayerSource | None
    settings: DenoiseSettings


class EstimateWorker(StoppableWorker):
    """Emits the noise as `stepped` (a FitProblem), then the needs as `returned`.

    `returned` is None if it was stopped, if only the noise was wanted, or if a run is
    at work: both would measure each other.

    Parameters
    ----------
    question : Question
        What is wanted.
    """

    def __init__(self, question: Question) -> None:
        super().__init__()
        self.question = question

    def work(self) -> Preflight | None:
        """Run in the worker's thread."""
        with estimating() as alone:
            return self._answer() if alone else None

    def _answer(self) -> Preflight | None:
        from napari_inr_denoise.core.preflight import preflight

        asked = self.question
        self.stepped.emit(_noise_problem(asked.slice_source.middle(LOOKED_AT)))
        source = asked.source
        if source is None or self._stop.is_set():
            return None
        return preflight(source.image(), source.axes, asked.settings, source.spacing)


def _noise_problem(source: LayerSource) -> FitProblem:
    """Return a plane with its noise and its hot pixels."""
    from napari_inr_denoise.core.axes import planes_of
    from napari_inr_denoise.core.measured import measured_problem
    from napari_inr_denoise.core.source import ImageSource

    image = ImageSource(source.masked())
    plane = next(planes_of(source.axes, image.shape))
    return measured_problem(*image.read(plane, (slice(None), slice(None))))
