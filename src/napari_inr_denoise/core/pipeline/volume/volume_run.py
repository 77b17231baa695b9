"""A function of (z, y, x) fitted to one volume, and its planes written one by one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.siren_volume import (
    VolumeFit,
    VolumeProblem,
    volume_steps,
)
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.filters.limits import keep_in_range
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep
from napari_inr_denoise.core.ensemble.quality import judge
from napari_inr_denoise.core.ensemble.strength import with_strength
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.planes.plane_report import (
    TileRecord,
    join_records,
    record_tile,
)
from napari_inr_denoise.core.report.report import PlaneReport
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.stack.series import Series
from napari_inr_denoise.core.settings import SIREN, DenoiseSettings
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.tiling import Tile


class TileWriter(Protocol):
    """Writes a plane tile by tile."""

    def add(self, tile: Tile, problem: NoisyPlane, result: FitResult) -> None:
        """Write the next tile."""


_EVALUATIONS_PER_PREVIEW = 4
"""Evaluations of the fit per preview of its middle plane, which takes longer."""


class VolumeRun:
    """The planes of one volume.

    Parameters
    ----------
    series : Series
        The planes, with a common noise model, in one tile each.
    planes : sequence of Plane
        Positions in the image, along Z.
    spacing_zyx : tuple of float
        Size of a voxel; any one unit.
    strength : float
        More or less denoising; see `DenoiseSettings`.

    Attributes
    ----------
    newest : dict of int to ndarray, shape (Y, X, samples)
        Results of planes, by their number, that are better than those of the fit so
        far. They are shown instead.
    """

    def __init__(
        self,
        series: Series,
        planes: Sequence[Plane],
        spacing_zyx: tuple[float, float, float],
        strength: float,
    ) -> None:
        self._planes, self._series = series, planes
        self._spacing, self._strength = spacing_zyx, strength
        self.newest: dict[int, NDArray[np.float32]] = {}
        (self._tile,) = series.tiling.tiles

    @property
    def middle(self) -> int:
        """Number of the plane that is shown."""
        return len(self._series) // 2

    @property
    def noise(self) -> NoiseModel:
        """Noise of the whole volume."""
        return self._planes.noise.model

    def plane(self, number: int) -> NoisyPlane:
        """Return a plane with the noise model of the volume."""
        return self._planes.problem(number, self._tile)

    def _problem(self) -> VolumeProblem:
        height, width, samples = self.plane(0).plane_yxs.shape
        shape = (len(self._series), height, width)
        values = np.empty((samples, *shape), dtype=np.float32)
        counts = np.empty(shape, dtype=np.bool_)
        for number in range(len(self._series)):
            problem = self.plane(number)
            values[:, number] = problem.plane_yxs.transpose(2, 0, 1)
            counts[number] = problem.fitted_yx
        return VolumeProblem(values, counts, self.noise, self._spacing)

    def steps(
        self, settings: DenoiseSettings, device: torch.device
    ) -> Generator[tuple[VolumeFit, FitStep], None, VolumeFit]:
        """Fit the volume; yield evaluations, and steps that show the middle plane."""
        run = GeneratorResult(volume_steps(self._problem(), settings, device))
        for number, fit in enumerate(run):
            if number % _EVALUATIONS_PER_PREVIEW == 0:
                shown = fit.function.sketch(self.middle)
            yield fit, self._as_step(fit, shown)
        return run.result

    def _as_step(self, fit: VolumeFit, shown: NDArray[np.float32]) -> FitStep:
        best = FitResult(shown, fit.residual_rms, fit.steps, fit.reason)
        return FitStep(
            step=fit.steps,
            max_steps=fit.max_steps,
            residual_rms=fit.residual_rms,
            noise=self.noise,
            progress=fit.progress,
            steps_per_second=fit.steps_per_second,
            best=best,
        )

    def sketch(
        self,
        fit: VolumeFit,
        index: Mapping[str, int],
        output: Callable[[Plane], TileWriter],
    ) -> None:
        """Write a preview of the plane with an index, if it is one of the volume."""
        for number, plane in enumerate(self._series):
            if plane.index == index:
                values = self.newest.get(number)
                if values is None:
                    values = fit.function.sketch(number)
                shown = self._as_step(fit, values).best
                output(plane).add(self._tile, self.plane(number), shown)

    def write(
        self, fit: VolumeFit | FitResult, output: Callable[[Plane], TileWriter]
    ) -> Generator[None, None, PlaneReport]:
        """Write the volume plane by plane, and return its single record.

        Parameters
        ----------
        fit : VolumeFit or FitResult
            The fit; or, if the volume is written unchanged, a result with the reason.
        output : callable
            Returns the writer of a plane.
        """
        records: list[TileRecord] = []
        for number, plane in enumerate(self._series):
            problem = self.plane(number)
            if isinstance(fit, VolumeFit):
                result = _fitted_plane(problem, fit, number, self.newest.get(number))
            else:
                same = problem.measured_yxs.astype(np.float32)
                result = replace(fit, plane_yxs=same)
            result = with_strength(problem, result, self._strength)
            output(plane).add(self._tile, problem, result)
            index = {k: at for k, at in plane.index.items() if k != "Z"}
            records.append(record_tile(index, problem, result, self._tile.weights_yx))
            yield
        joined = join_records(records)
        if self._strength:
            return joined
        return replace(joined, residual_rms=fit.residual_rms)


def _fitted_plane(
    problem: NoisyPlane,
    fit: VolumeFit,
    number: int,
    newest: NDArray[np.float32] | None,
) -> FitResult:
    """Return a plane of a fitted volume, with its quality where it is defined."""
    values = newest
    if values is None:
        values = fit.function.plane(float(number), fit.function.grid())
    if problem.fitted_yx.any():
        values = keep_in_range(problem, values)
    reached = fit.steps if fit.reason is StopReason.NOISE_LEVEL else None
    result = FitResult(
        values,
        fit.residual_rms,
        fit.steps,
        fit.reason,
        ((SIREN, 1.0),),
        noise_level_step=reached,
    )
    if not (problem.fitted_yx.any() and problem.noise.sigma > 0):
        return result
    return replace(result, quality=judge(problem, values, None))
