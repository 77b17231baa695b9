"""What is found out before a run, in a thread: the noise, and what the run takes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.layers.source import LayerSource
from napari_inr_denoise.plugin.runs.exclusive import estimating
from napari_inr_denoise.plugin.runs.worker import StoppableWorker

if TYPE_CHECKING:
    from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
    from napari_inr_denoise.core.preflight.estimate import Preflight

SLICE_SIDE = 1024
"""Side of what is looked at of a large slice, in pixels: enough to tell the noise."""


@dataclass(frozen=True)
class EstimateRequest:
    """What is to be estimated.

    Attributes
    ----------
    slice_source : LayerSource
        The slice whose noise is wanted.
    sources : tuple of LayerSource
        What will be denoised, one after the other; empty if only the noise is wanted.
    settings : DenoiseSettings
        How.
    """

    slice_source: LayerSource
    sources: tuple[LayerSource, ...]
    settings: DenoiseSettings


class EstimateWorker(StoppableWorker):
    """Emits the noise as `stepped` (a NoisyPlane), then the needs as `returned`.

    `returned` has a Preflight for each source; it has none if it was stopped, if only
    the noise was wanted, or if a run is at work: both would measure each other.

    Parameters
    ----------
    question : EstimateRequest
        What is wanted.
    """

    def __init__(self, question: EstimateRequest) -> None:
        super().__init__()
        self.question = question

    def work(self) -> list[Preflight]:
        """Run in the worker's thread."""
        with estimating() as alone:
            return self._answer() if alone else []

    def _answer(self) -> list[Preflight]:
        asked = self.question
        self.stepped.emit(_noise_problem(asked.slice_source.middle(SLICE_SIDE)))
        # What is alike takes as long: channels of one image are measured once.
        known: dict[tuple[object, ...], Preflight] = {}
        for source in asked.sources:
            if source.kind in known:
                continue
            for _ in (run := GeneratorResult(_needs(source, asked.settings))):
                if self._stop.is_set():
                    return []
            known[source.kind] = run.result
        return [known[source.kind] for source in asked.sources]


def _needs(
    source: LayerSource, settings: DenoiseSettings
) -> Generator[None, None, Preflight]:
    from napari_inr_denoise.core.preflight.estimate import preflight_steps

    yield  # the first chance to stop is before anything is read
    steps = preflight_steps(source.masked(), source.axes, settings, source.spacing)
    return (yield from steps)


def _noise_problem(source: LayerSource) -> NoisyPlane:
    """Return a plane with its noise and its hot pixels."""
    from napari_inr_denoise.core.noise.measure import measure_plane
    from napari_inr_denoise.image.axes import planes_of
    from napari_inr_denoise.image.source import ImageSource

    image = ImageSource(source.masked())
    plane = next(planes_of(source.axes, image.shape))
    return measure_plane(*image.read(plane, (slice(None), slice(None))))
