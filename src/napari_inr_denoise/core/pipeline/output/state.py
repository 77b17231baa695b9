"""State of a run: its output, its records, and the result if it is stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from napari_inr_denoise.core.candidates.siren_volume import VolumeFit
from napari_inr_denoise.core.candidates.volume_function import FittedVolume
from napari_inr_denoise.core.compute.cuda_graphs import capture_notes
from napari_inr_denoise.core.compute.devices import describe_device, peak_memory_mb
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.maps import MAPS
from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.memory import ComputeBudget
from napari_inr_denoise.core.pipeline.output.finished_planes import FinishedPlanes
from napari_inr_denoise.core.pipeline.output.result import DenoiseResult, DenoiseStep
from napari_inr_denoise.core.pipeline.plan import Plan
from napari_inr_denoise.core.pipeline.planes.plane_report import record_tile
from napari_inr_denoise.core.pipeline.volume.volume_run import VolumeRun
from napari_inr_denoise.core.report.report import DenoiseReport, FileReport, PlaneReport
from napari_inr_denoise.image.axes import Plane, planes_of
from napari_inr_denoise.image.repeats import Repeats
from napari_inr_denoise.image.source import ImageSource
from napari_inr_denoise.image.stitching import PlaneCanvas, WritableArray, copy_plane
from napari_inr_denoise.image.tiling import Tile, Tiling
from napari_inr_denoise.version import package_version


class RunState:
    """The output and the records of a run, from its start to its end.

    Every step refers to the state. The state refers to no step: in a reference cycle,
    image and result would stay in memory until the next garbage collection.

    Parameters
    ----------
    source : ImageSource
        The noisy image.
    axes : str
        One letter per dimension.
    plan : Plan
        Settings of the run, and tiles of each plane.
    budget : ComputeBudget
        Device of the run, and notes on reductions.
    outputs : Outputs
        Where the result and its maps are written.
    repeats : Repeats or None
        Rows and columns of the image that are not denoised, but repeated.

    Attributes
    ----------
    finished_planes : FinishedPlanes
        The finished planes.
    output : RunOutput
        The result so far.
    volumes : list of FittedVolume
        Fitted functions of the finished volumes.
    volume : tuple of VolumeRun and VolumeFit, or None
        The current volume and its best state, rendered if the run is stopped.
    """

    def __init__(
        self,
        source: ImageSource,
        axes: str,
        plan: Plan,
        budget: ComputeBudget,
        outputs: Outputs,
        repeats: Repeats | None,
    ) -> None:
        self._source, self._axes, self._settings = source, axes, plan.settings
        self._tiling, self._budget, self._repeats = plan.tiling, budget, repeats
        self._started = time.monotonic()
        self.finished_planes = FinishedPlanes(
            axes, source.shape, plan.settings.mode == "volume"
        )
        self.output = RunOutput(
            source, axes, plan.tiling, self.finished_planes, outputs, repeats
        )
        self.volumes: list[FittedVolume] = []
        self.volume: tuple[VolumeRun, VolumeFit] | None = None

    @property
    def finished(self) -> tuple[PlaneReport, ...]:
        """Records of the finished planes."""
        return self.finished_planes.in_order()

    def take_over(self, earlier: DenoiseResult) -> None:
        """Take over the finished planes of a stopped run of the same image.

        Raises
        ------
        ValueError
            If the run had another image or other settings.
        """
        (file,) = earlier.report.files
        same = replace(earlier.report.settings, device=self._settings.device)
        wanted = (self._source.shape, self._axes, self._settings)
        if (file.shape, file.axes, same) != wanted:
            raise ValueError(
                f"resume: got a result of shape {file.shape} with axes {file.axes} and "
                f"preset {same.preset!r}, wanted one of this image (shape "
                f"{self._source.shape}, axes {self._axes}) and of the same settings. "
                "Leave it out to start from the beginning."
            )
        self.finished_planes.take_over(file.planes)
        self.output.take_over(earlier)

    def so_far(
        self, step: DenoiseStep, shown: Mapping[str, int] | None = None
    ) -> WritableArray:
        """Return the output, with the best state of the current plane written to it.

        For a volume, the plane with the index `shown` is written as well.
        """
        out = self.output.so_far(step)
        if self.volume is not None and shown is not None:
            volume, fit = self.volume
            volume.sketch(fit, shown, partial(self.output.image_only, out))
        return out

    def stopped(self, step: DenoiseStep) -> DenoiseResult:
        """Return the finished planes and the best state of the current one."""
        out = self.output.kept()
        records = list(self._best_so_far(step, out)) if step.fit is not None else []
        return self._result(out, self.finished_planes.in_order(*records))

    def _best_so_far(
        self, step: DenoiseStep, out: WritableArray
    ) -> Iterator[PlaneReport]:
        """Write the current plane or volume, and yield its record; skip lone tiles."""
        if self.volume is not None:
            volume, fit = self.volume
            for _ in (
                writing := GeneratorResult(
                    volume.write(fit, partial(self.output.image_only, out))
                )
            ):
                pass
            yield writing.result
        elif self.output.draw(step, out):
            (tile,) = self._tiling.tiles
            index, weights = step.plane.index, tile.weights_yx
            yield record_tile(index, step.problem, step.result, weights).report

    def result(self) -> DenoiseResult:
        """Return the result of the finished run."""
        return self._result(self.output.out, self.finished)

    def _result(
        self, image: WritableArray, planes: tuple[PlaneReport, ...]
    ) -> DenoiseResult:
        device = self._budget.device
        file = FileReport(
            source=None,
            shape=self._source.shape,
            axes=self._axes,
            dtype=str(self._source.dtype),
            seconds=round(time.monotonic() - self._started, 3),
            device=describe_device(device),
            peak_memory_mb=peak_memory_mb(device),
            planes=planes,
            notes=(
                *self._source.notes,
                *(() if self._repeats is None else (self._repeats.note,)),
                *self._budget.notes,
                *capture_notes(device),
                *self.finished_planes.notes(),
            ),
        )
        report = DenoiseReport(package_version(), self._settings, (file,))
        return DenoiseResult(image, report, self.output.known_maps, tuple(self.volumes))


@dataclass(frozen=True)
class Outputs:
    """Arrays of the caller that the result is written to.

    Attributes
    ----------
    image : WritableArray or None
        For the denoised image. If None, the run makes arrays for the image and all
        maps.
    maps : mapping of str to WritableArray
        For maps, by name.
    """

    image: WritableArray | None = None
    maps: Mapping[str, WritableArray] = field(default_factory=dict)


class RunOutput:
    """The denoised image and its maps; the only writer of the output.

    Parameters
    ----------
    source : ImageSource
        The noisy image; pixels without a result keep its values.
    axes : str
        One letter per dimension.
    tiling : Tiling
        Tiles of each plane.
    finished_planes : FinishedPlanes
        The finished planes.
    outputs : Outputs
        Where to write.
    repeats : Repeats or None
        Rows and columns of the image that are not denoised, but repeated.

    Attributes
    ----------
    out : WritableArray
        The denoised image.
    """

    def __init__(
        self,
        source: ImageSource,
        axes: str,
        tiling: Tiling,
        finished_planes: FinishedPlanes,
        outputs: Outputs,
        repeats: Repeats | None,
    ) -> None:
        self._source, self._axes, self._repeats = source, axes, repeats
        self._tiling, self._finished_planes = tiling, finished_planes
        self._own = outputs.image is None
        self.out: WritableArray = (
            np.zeros(source.shape, dtype=np.float32)
            if outputs.image is None
            else outputs.image
        )
        self._maps: dict[str, WritableArray] = dict(outputs.maps)
        # Whether planes that are not reached yet hold the values of the source.
        self._filled = False

    @property
    def known_maps(self) -> dict[str, Any]:
        """The maps that have values, by name; NaN where a value is unknown."""
        return dict(self._maps)

    def take_over(self, earlier: DenoiseResult) -> None:
        """Copy the planes that were finished in an earlier run."""
        if earlier.image is not self.out:
            self._copy_finished(earlier.image, self.out)
        for name, values in earlier.maps.items():
            target = self._map(name)
            if target is not None and target is not values:
                self._copy_finished(values, target)

    def _copy_finished(self, values: Any, target: WritableArray) -> None:  # noqa: ANN401
        before = ImageSource(values)
        for plane in planes_of(self._axes, self._source.shape):
            if plane in self._finished_planes:
                copy_plane(before, plane, target)

    def _map(self, name: str) -> WritableArray | None:
        """Return the array of a map, made on first use; None if it is not wanted."""
        if name not in self._maps and self._own:
            unknown = np.full(self._source.shape, np.nan, dtype=np.float32)
            self._maps[name] = unknown
        return self._maps.get(name)

    def plane(self, plane: Plane) -> PlaneOutput:
        """Return the writer of one plane."""
        return PlaneOutput(partial(self._canvas, plane), self.out, self._map)

    def image_only(self, out: WritableArray, plane: Plane) -> PlaneOutput:
        """Return a writer of one plane of another image, without maps."""
        return PlaneOutput(partial(self._canvas, plane), out, lambda _: None)

    def _canvas(
        self, plane: Plane, out: WritableArray, *, keep: bool = True
    ) -> PlaneCanvas:
        """Return the writer of a plane of the image, or of a map with NaN."""
        return PlaneCanvas(
            out, plane, self._tiling, self._source, self._repeats, keep=keep
        )

    def so_far(self, step: DenoiseStep) -> WritableArray:
        """Return the image, with the best state of the current plane written to it."""
        if not (self._filled or self._source.lazy):
            self._fill(self.out)
            self._filled = True
        if step.fit is not None:
            self.draw(step, self.out)
        return self.out

    def kept(self) -> Any:  # noqa: ANN401 - as `out` is
        """Return the image after a stop; planes that were not reached are unchanged.

        The run's own array is copied, because it may still be displayed.
        """
        out: Any = self.out
        if self._own:
            out = out.copy()
        self._fill(out)
        return out

    def draw(self, step: DenoiseStep, out: WritableArray) -> bool:
        """Write the best state of a whole plane; return False if there is none."""
        whole = step.problem.valid_yx.shape == self._tiling.shape_yx
        # Before the first step of a training, the step only shows the noise.
        nothing = step.learning and step.fit is not None and step.fit.step == 0
        # After memory ran out, a training can be repeated on planes that are finished.
        if nothing or not whole or step.plane in self._finished_planes:
            return False
        (tile,) = self._tiling.tiles
        canvas = self._canvas(step.plane, out)
        canvas.add(tile, step.result.plane_yxs, step.problem.valid_yx)
        return True

    def _fill(self, out: WritableArray) -> None:
        """Copy planes that were not reached from the source."""
        for plane in planes_of(self._axes, self._source.shape):
            if plane not in self._finished_planes:
                copy_plane(self._source, plane, out)


class PlaneOutput:
    """Writer of one plane of the image and of its maps, tile by tile.

    Parameters
    ----------
    canvas : callable
        Returns the writer of the plane in an array, see `PlaneCanvas`.
    out : WritableArray
        The denoised image.
    map_output : callable
        Returns the array of a map by its name, or None if it is not wanted.
    """

    def __init__(
        self,
        canvas: Callable[..., PlaneCanvas],
        out: WritableArray,
        map_output: Callable[[str], WritableArray | None],
    ) -> None:
        self._new_canvas = canvas
        self._image = canvas(out)
        self._map_output = map_output
        self._maps: dict[str, PlaneCanvas | None] = {}

    def add(self, tile: Tile, problem: NoisyPlane, result: FitResult) -> None:
        """Write the next tile, in the tiling's order."""
        self._image.add(tile, result.plane_yxs, problem.valid_yx)
        for name, pixel_map in MAPS.items():
            values = pixel_map(problem, result)
            if values is None:
                continue
            canvas = self._canvas(name)
            if canvas is not None:
                canvas.add(tile, values.astype(np.float32), problem.valid_yx)

    def _canvas(self, name: str) -> PlaneCanvas | None:
        if name not in self._maps:
            out = self._map_output(name)
            canvas = None if out is None else self._new_canvas(out, keep=False)
            self._maps[name] = canvas
        return self._maps[name]
