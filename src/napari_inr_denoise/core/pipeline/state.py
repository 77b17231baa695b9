"""What there is so far of a run: its output, its records, and what a stop keeps."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.siren_volume import VolumeFit
from napari_inr_denoise.core.candidates.volume_function import FittedVolume
from napari_inr_denoise.core.compute.cuda_graphs import capture_notes
from napari_inr_denoise.core.compute.devices import describe_device, peak_memory_mb
from napari_inr_denoise.core.compute.generators import GeneratorResult
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
from napari_inr_denoise.image.tiling import Tiling

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
    out : Writable or None
        Where the result is written; a new array if None.

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
        out: Writable | None,
    ) -> None:
        self._source, self._axes, self._settings = source, axes, settings
        self._tiling, self._effort = tiling, effort
        self._started = time.monotonic()
        self.ledger = FinishedPlanes(axes, source.shape, settings.mode == "volume")
        self.output = RunOutput(source, axes, tiling, self.ledger, out)
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
            for _ in (writing := GeneratorResult(volume.write(fit, out))):
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
        return DenoiseResult(
            image, report, self.output.uncertainty, tuple(self.volumes)
        )


class RunOutput:
    """The result, and the uncertainty beside it.

    Parameters
    ----------
    source : ImageSource
        The noisy image: what pixels without a result keep.
    axes : str
        One letter per dimension.
    tiling : Tiling
        How planes are cut.
    ledger : FinishedPlanes
        Which planes are finished.
    out : Writable or None
        Where the result is written; a new array if None.

    Attributes
    ----------
    out : Writable
        The same.
    own : bool
        Whether it is an array of the run's own: only then the uncertainty is kept.
    uncertainty : ndarray of float32 or None
        In the image's shape and units; None as long as it is known nowhere.
    """

    def __init__(
        self,
        source: ImageSource,
        axes: str,
        tiling: Tiling,
        ledger: FinishedPlanes,
        out: Writable | None,
    ) -> None:
        self._source, self._axes = source, axes
        self._tiling, self._ledger = tiling, ledger
        self.own = out is None
        self.out: Writable = (
            np.zeros(source.shape, dtype=np.float32) if out is None else out
        )
        self.uncertainty: NDArray[np.float32] | None = None
        # Whether planes that are not reached yet show the source.
        self._filled = False

    def take_over(self, earlier: DenoiseResult) -> None:
        """Copy the planes that the ledger has taken over from an earlier run."""
        if earlier.image is self.out:
            return
        before = ImageSource(earlier.image)
        for plane in planes_of(self._axes, self._source.shape):
            if plane in self._ledger:
                copy_plane(before, plane, self.out)
        if earlier.uncertainty is not None and self.own:
            self.uncertainty = earlier.uncertainty.copy()

    def canvas(self, plane: Plane) -> PlaneCanvas:
        """Return where a plane's tiles are put together."""
        return PlaneCanvas(self.out, plane, self._tiling, self._source)

    def doubt(self, plane: Plane) -> PlaneCanvas:
        """Return where the uncertainty goes; nothing is held until there is one."""
        if self.uncertainty is None:
            self.uncertainty = np.full(self._source.shape, np.nan, dtype=np.float32)
        return PlaneCanvas(self.uncertainty, plane, self._tiling, None)

    def so_far(self, step: DenoiseStep) -> Writable:
        """Return the output with the best so far of the plane at work."""
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
        if self.own:
            out = out.copy()
        self._fill(out)
        return out

    def draw(self, step: DenoiseStep, out: Writable) -> bool:
        """Write the best so far of a whole plane, and tell whether there was one."""
        whole = step.problem.valid_yx.shape == self._tiling.shape_yx
        # At first only the noise was looked at.
        nothing = step.learning and step.fit is not None and step.fit.step == 0
        # Planes that learn together again, with less memory, may be finished.
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
