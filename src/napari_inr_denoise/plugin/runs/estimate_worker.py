"""Estimates the noise and what a run will take, in a thread."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.layers.source.layer_source import LayerSource
from napari_inr_denoise.plugin.runs.exclusive import estimating
from napari_inr_denoise.plugin.runs.worker import StoppableWorker

if TYPE_CHECKING:
    from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
    from napari_inr_denoise.core.preflight.estimate import Preflight

SLICE_SIDE = 1024
"""Largest side in pixels of the part that the noise is estimated on."""


@dataclass(frozen=True)
class EstimateRequest:
    """What to estimate.

    Attributes
    ----------
    slice_source : LayerSource
        The slice to estimate the noise of.
    sources : tuple of LayerSource
        The sources of the run in their order.
    settings : dict of str to DenoiseSettings
        Settings of runs by name; the first is measured first. Empty to estimate the
        noise alone.
    """

    slice_source: LayerSource
    sources: tuple[LayerSource, ...]
    settings: dict[str, DenoiseSettings]


@dataclass(frozen=True)
class Needs:
    """What a run would take: a Preflight for each source, by the name of settings."""

    name: str
    sources: list[Preflight]


class EstimateWorker(StoppableWorker):
    """Emits the noise as `stepped` (a NoisyPlane), then the needs (`Needs`), too.

    `returned` is True if all was answered, and False if the worker was stopped or a run
    is at work: each would slow down the other.

    Parameters
    ----------
    request : EstimateRequest
        What to estimate.
    """

    def __init__(self, request: EstimateRequest) -> None:
        super().__init__()
        self._request = request

    def work(self) -> bool:
        """Run in the worker's thread."""
        with estimating() as alone:
            return alone and self._answer()

    def _answer(self) -> bool:
        request = self._request
        self.stepped.emit(_noisy_plane(request.slice_source.middle(SLICE_SIDE)))
        for name, settings in request.settings.items():
            # Sources of one kind take equally long: channels are measured once.
            known: dict[tuple[object, ...], Preflight] = {}
            for source in request.sources:
                if source.kind in known:
                    continue
                for _ in (run := GeneratorResult(_needs(source, settings))):
                    if self._stop.is_set():
                        return False
                known[source.kind] = run.result
            found = [known[source.kind] for source in request.sources]
            self.stepped.emit(Needs(name, found))
        return True


def _needs(
    source: LayerSource, settings: DenoiseSettings
) -> Generator[None, None, Preflight]:
    from napari_inr_denoise.core.preflight.estimate import preflight_steps

    yield  # the first chance to stop is before anything is read
    steps = preflight_steps(source.masked(), source.axes, settings, source.spacing)
    return (yield from steps)


def _noisy_plane(source: LayerSource) -> NoisyPlane:
    """Return the first plane of a source with its noise and hot pixels."""
    from napari_inr_denoise.core.noise.measure import measure_plane
    from napari_inr_denoise.image.axes import planes_of
    from napari_inr_denoise.image.repeats import without_repeats
    from napari_inr_denoise.image.source import ImageSource

    image = ImageSource(source.masked())
    image, *_ = without_repeats(image, source.axes, (1.0, 1.0, 1.0))
    plane = next(planes_of(source.axes, image.shape))
    return measure_plane(*image.read(plane, (slice(None), slice(None))))
