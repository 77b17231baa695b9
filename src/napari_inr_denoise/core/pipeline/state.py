"""What there is so far of a run: its output, its records, and what a stop keeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_inr_denoise.core.candidates.siren_volume import VolumeFit
from napari_inr_denoise.core.candidates.volume_function import FittedVolume
from napari_inr_denoise.core.compute.cuda_graphs import capture_notes
from napari_inr_denoise.core.compute.devices import describe_device, peak_memory_mb
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.maps import MAPS
from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.finished_planes import FinishedPlanes
from napari_inr_denoise.core.pipeline.memory import ComputeBudget
from napari_inr_denoise.core.pipeline.plane_report import record_tile
from napari_inr_denoise.core.pipeline.result import DenoiseResult, DenoiseStep
from napari_inr_denoise.core.pipeline.volume import VolumeRun
from napari_inr_denoise.core.report.report import DenoiseReport, FileReport, PlaneReport
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.image.axes import Plane, planes_of
from napari_inr_denoise.image.source import ImageSource
from napari_inr_denoise.image.stitching import PlaneCanvas, Writable, copy_plane
from napari_inr_denoise.image.tiling import Tile, Tiling

if TYPE_CHECKING:
    from napari_inr_denoise.core.pipeline.result import DenoiseResult, DenoiseStep


class RunState:
    """The output and the records of a run, from its start to its end.

    Every step holds it, and it holds no step: in a circle, image and result would stay
    in memory until the garbage collector comes.

    Parameters
    ----------
    source : ImageSource
        The noisy image.
    axes : str
        One letter per dimension.
    settings : DenoiseSettings
        As asked for.
    tiling : Tiling
        How planes are cut.
    effort : ComputeBudget
        Where it is computed, and what has been given up.
    outputs : Outputs
        Where the result and its maps are written.

    Attributes
    ----------
    ledger : FinishedPlanes
        The finished planes.
    output : RunOutput
        The result so far.
    volumes : list of FittedVolume
        Functions of the finished volumes.
    volume : tuple of VolumeRun and VolumeFit, or None
        The volume at work, to be rendered where the run is stopped.
    """

    def __init__(
        self,
        source: ImageSource,
        axes: str,
        settings: DenoiseSettings,
        tiling: Tiling,
        effort: ComputeBudget,
        outputs: Outputs,
    ) -> None:
        self._source, self._axes, self._settings = source, axes, settings
        self._tiling, self._effort = tiling, effort
        self._started = time.monotonic()
        self.ledger = FinishedPlanes(axes, source.shape, settings.mode == "volume")
        self.output = RunOutput(source, axes, tiling, self.ledger, outputs)
        self.volumes: list[FittedVolume] = []
        self.volume: tuple[VolumeRun, VolumeFit] | None = None

    @property
    def finished(self) -> tuple[PlaneReport, ...]:
        """Records of the finished planes."""
        return self.ledger.in_order()

    def take_over(self, earlier: DenoiseResult) -> None:
        """Take the finished planes of a run of the same image that was stopped.

        Raises
        ------
        ValueError
            If it was a run of another image or with other settings.
        """
        (file,) = earlier.report.files
        same = replace(earlier.report.settings, device=self._settings.device)
        wanted = (self._source.shape, self._axes, self._settings)
        if (file.shape, file.axes, same) != wanted:
            raise ValueError(
                f"resume: got a result of shape {file.shape} with axes {file.axes} and "
                f"preset {same.preset!r}, wanted one of this image (shape "
                f"{self._source.shape}, axes {self._axes}) and of the same settings. "
                "Leave it out to begin anew."
            )
        self.ledger.take_over(file.planes)
        self.output.take_over(earlier)

    def so_far(self, step: DenoiseStep) -> Writable:
        """Return the output with the best so far of the plane at work."""
        return self.output.so_far(step)

    def stopped(self, step: DenoiseStep) -> DenoiseResult:
        """Return the finished planes and the best so far of the one at work."""
        out = self.output.kept()
        records = list(self._best_so_far(step, out)) if step.fit is not None else []
        return self._result(out, self.ledger.in_order(*records))

    def _best_so_far(self, step: DenoiseStep, out: Writable) -> Iterator[PlaneReport]:
        """Write the plane or volume at work as it is; nothing of a part of a plane."""
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
        """Return what there is at the end."""
        return self._result(self.output.out, self.finished)

    def _result(
        self, image: Writable, planes: tuple[PlaneReport, ...]
    ) -> DenoiseResult:
        device = self._effort.device
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
                *self._effort.notes,
                *capture_notes(device),
                *self.ledger.notes(),
            ),
        )
        report = DenoiseReport(version("napari-inr-denoise"), self._settings, (file,))
        return DenoiseResult(image, report, self.output.known_maps, tuple(self.volumes))


@dataclass(frozen=True)
class Outputs:
    """Where a caller wants the result.

    Attributes
    ----------
    image : Writable or None
        For the denoised image. A new array is made if None, and one for each map.
    maps : mapping of str to Writable
        For maps, by name.
    """

    image: Writable | None = None
    maps: Mapping[str, Writable] = field(default_factory=dict)


class RunOutput:
    """The denoised image and its maps; everything that is written goes through here.

    Parameters
    ----------
    source : ImageSource
        The noisy image, whose values pixels without a result keep.
    axes : str
        One letter per dimension.
    tiling : Tiling
        How planes are cut.
    ledger : FinishedPlanes
        Which planes are finished.
    outputs : Outputs
        Where to write.

    Attributes
    ----------
    out : Writable
        The denoised image.
    """

    def __init__(
        self,
        source: ImageSource,
        axes: str,
        tiling: Tiling,
        ledger: FinishedPlanes,
        outputs: Outputs,
    ) -> None:
        self._source, self._axes = source, axes
        self._tiling, self._ledger = tiling, ledger
        self._own = outputs.image is None
        self.out: Writable = (
            np.zeros(source.shape, dtype=np.float32)
            if outputs.image is None
            else outputs.image
        )
        self._maps: dict[str, Writable] = dict(outputs.maps)
        # Whether planes that are not reached yet show the source.
        self._filled = False

    @property
    def known_maps(self) -> dict[str, Any]:
        """The maps that are known somewhere, by name; NaN where they are not known."""
        return dict(self._maps)

    def take_over(self, earlier: DenoiseResult) -> None:
        """Copy the planes that were finished in an earlier run."""
        if earlier.image is not self.out:
            self._copy_finished(earlier.image, self.out)
        for name, values in earlier.maps.items():
            target = self._map(name)
            if target is not None and target is not values:
                self._copy_finished(values, target)

    def _copy_finished(self, values: Any, target: Writable) -> None:  # noqa: ANN401
        before = ImageSource(values)
        for plane in planes_of(self._axes, self._source.shape):
            if plane in self._ledger:
                copy_plane(before, plane, target)

    def _map(self, name: str) -> Writable | None:
        """Return where a map is written; an array of its own is made when needed."""
        if name not in self._maps and self._own:
            unknown = np.full(self._source.shape, np.nan, dtype=np.float32)
            self._maps[name] = unknown
        return self._maps.get(name)

    def plane(self, plane: Plane) -> PlaneOutput:
        """Return the writer of one plane."""
        return PlaneOutput(plane, self._tiling, self._source, self.out, self._map)

    def image_only(self, out: Writable, plane: Plane) -> PlaneOutput:
        """Return a writer of one plane of another image, without maps."""
        return PlaneOutput(plane, self._tiling, self._source, out, lambda _: None)

    def so_far(self, step: DenoiseStep) -> Writable:
        """Return the image with the best so far of the plane at work."""
        if not (self._filled or self._source.lazy):
            self._fill(self.out)
            self._filled = True
        if step.fit is not None:
            self.draw(step, self.out)
        return self.out

    def kept(self) -> Any:  # noqa: ANN401 - as `out` is
        """Return what is kept after a stop: planes that were not reached as they were.

        An array of the run's own is copied: the run may still be shown.
        """
        out: Any = self.out
        if self._own:
            out = out.copy()
        self._fill(out)
        return out

    def draw(self, step: DenoiseStep, out: Writable) -> bool:
        """Write the best so far of a whole plane; False if there is none."""
        whole = step.problem.valid_yx.shape == self._tiling.shape_yx
        # At first only the noise was looked at.
        nothing = step.learning and step.fit is not None and step.fit.step == 0
        # Planes that are trained on again, with less memory, may be finished.
        if nothing or not whole or step.plane in self._ledger:
            return False
        (tile,) = self._tiling.tiles
        canvas = PlaneCanvas(out, step.plane, self._tiling, self._source)
        canvas.add(tile, step.result.plane_yxs, step.problem.valid_yx)
        return True

    def _fill(self, out: Writable) -> None:
        """Leave planes that were not reached as they were."""
        for plane in planes_of(self._axes, self._source.shape):
            if plane not in self._ledger:
                copy_plane(self._source, plane, out)


class PlaneOutput:
    """Writer of one plane of the image and of its maps, tile by tile.

    Parameters
    ----------
    plane : Plane
        Where it lies in the image.
    tiling : Tiling
        How it is cut.
    source : ImageSource
        The noisy image.
    out : Writable
        The denoised image.
    map_output : callable
        From a map's name to where it is written, or None where it is not wanted.
    """

    def __init__(
        self,
        plane: Plane,
        tiling: Tiling,
        source: ImageSource,
        out: Writable,
        map_output: Callable[[str], Writable | None],
    ) -> None:
        self._plane, self._tiling = plane, tiling
        self._image = PlaneCanvas(out, plane, tiling, source)
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
            canvas = None
            if out is not None:
                canvas = PlaneCanvas(out, self._plane, self._tiling, None)
            self._maps[name] = canvas
        return self._maps[name]
