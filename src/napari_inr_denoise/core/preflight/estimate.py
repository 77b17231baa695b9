"""What a run will take, before it is begun: time, memory, tiles."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from napari_inr_denoise.core.candidates.shared import can_share, shares_networks
from napari_inr_denoise.core.candidates.siren_volume import VolumeProblem
from napari_inr_denoise.core.compute.concurrency import runs_in_threads
from napari_inr_denoise.core.compute.devices import describe_device, pick_device
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.pipeline.memory import (
    concurrent_fits,
    concurrent_tiles,
    expected_memory_gb,
    tile_side,
)
from napari_inr_denoise.core.pipeline.volume import check_volume
from napari_inr_denoise.core.preflight.cost_model import Workload
from napari_inr_denoise.core.preflight.timing import (
    Measuring,
    network_paces,
    other_pace,
    volume_pace,
)
from napari_inr_denoise.core.report.duration import duration_words
from napari_inr_denoise.core.sampling.series import Series, SeriesTile, spread
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from napari_inr_denoise.image.axes import (
    count_planes,
    planes_of,
    resolve_axes,
    sample_count,
    series_of,
    voxel_spacing,
)
from napari_inr_denoise.image.source import ImageSource, MaskedImage, ReadableArray
from napari_inr_denoise.image.tiling import Tiling

_LOOKED_AT = 3
"""Planes that are compared with those beside them."""
_SIDE, _DEPTH = 256, 4
"""Of the part that is measured on: large enough for batches of full size."""
_LEAST_SIDE = 128
"""Of that part where few pixels are in a mask: a smaller one renders too slowly."""


@dataclass(frozen=True)
class Preflight:
    """What a run will take on this machine.

    Attributes
    ----------
    seconds : float
        Expected duration.
    at_most : bool
        Whether the fit may end much earlier: the published method stops by itself.
    memory_gb : float
        Expected peak of the process, in gigabytes (10^9 bytes), without the image
        itself.
    device : str
        Where it will run.
    planes : int
        How many there are.
    together : bool
        Whether planes share networks.
    tiling : Tiling
        How each plane is cut.
    """

    seconds: float
    at_most: bool
    memory_gb: float
    device: str
    planes: int
    together: bool
    tiling: Tiling

    def words(self) -> str:
        """Return it as a sentence."""
        height, width = self.tiling.shape_yx
        planes = f"{self.planes} planes" if self.planes > 1 else "1 plane"
        shared = ", which share what they learn" if self.together else ""
        tiles = f", each in {self.tiling.count} tiles" if self.tiling.count > 1 else ""
        most = "at most " if self.at_most else "about "
        return (
            f"{planes} of {height}x{width}{tiles}{shared}: {most}"
            f"{duration_words(self.seconds)} and {self.memory_gb:.1f} GB on "
            f"{self.device}."
        )


def preflight(
    image: ArrayLike | ReadableArray | MaskedImage,
    axes: str | None = None,
    settings: DenoiseSettings | None = None,
    spacing_um: Sequence[float] | None = None,
    *,
    streamed: bool = False,
) -> Preflight:
    """Estimate what a run will take, from a short measurement on this machine.

    A part of the middle plane is trained on for a few steps and rendered once; the
    rest is counted.

    Parameters
    ----------
    image, axes, settings, spacing_um
        As for `denoise_steps`; the preset "auto" if no settings are given.
    streamed : bool
        Whether the result is written to a file instead of kept in memory.

    Raises
    ------
    TypeError, ValueError
        As for `denoise`.
    """
    steps = preflight_steps(image, axes, settings, spacing_um, streamed=streamed)
    for _ in (run := GeneratorResult(steps)):
        pass
    return run.result


def preflight_steps(
    image: ArrayLike | ReadableArray | MaskedImage,
    axes: str | None = None,
    settings: DenoiseSettings | None = None,
    spacing_um: Sequence[float] | None = None,
    *,
    streamed: bool = False,
) -> Measuring[Preflight]:
    """Do what `preflight` does, with chances to stop between the measurements.

    The first comes once the noise is measured and planes are compared, which takes two
    seconds for large images. Parameters, result and errors are those of `preflight`.

    Yields
    ------
    None
        Nothing new.
    """
    settings = preset_settings("auto") if settings is None else settings
    source = ImageSource(image)
    axes = resolve_axes(source.ndim, axes)
    source.check_mask(axes)
    if settings.mode == "volume":
        check_volume(axes, source.shape, settings)
    plan = _Plan(source, axes, settings, voxel_spacing(axes, spacing_um))
    seconds = yield from plan.seconds()
    samples, pixels = sample_count(axes, source.shape), plan.pixels_at_once
    # A result, and its uncertainty.
    kept = 0.0 if streamed else 8e-9 * source.size
    return Preflight(
        seconds=seconds,
        at_most=plan.at_most,
        memory_gb=kept + expected_memory_gb(settings, samples, pixels, plan.device),
        device=describe_device(plan.device),
        planes=count_planes(axes, source.shape),
        together=plan.together,
        tiling=plan.tiling,
    )


class _Plan:
    """How an image will be denoised, told by the middle one of its series."""

    def __init__(
        self,
        source: ImageSource,
        axes: str,
        settings: DenoiseSettings,
        spacing_zyx: tuple[float, float, float],
    ) -> None:
        self._settings, self._spacing = settings, spacing_zyx
        self.device = pick_device(settings.device)
        self._as_volume = settings.mode == "volume"
        self.at_most = self._as_volume or not can_share(settings)
        first = next(planes_of(axes, source.shape))
        self._samples = sample_count(axes, source.shape)
        side = (
            max(source.shape)
            if self._as_volume
            else tile_side(settings, self._samples, self.device)
        )
        self.tiling = Tiling.of(first.shape_yx(source.shape), side)
        all_series = series_of(axes, source.shape)
        middle = all_series[len(all_series) // 2]
        self._series, self._count = len(all_series), len(middle)
        self._inside = [
            source.share_inside(middle[number], tile.window)
            for number in spread(self._count, _LOOKED_AT)
            for tile in self.tiling.tiles
        ]
        # The mask may lie anywhere, and what is measured on must not be empty.
        plain = source.without_mask
        started = time.perf_counter()
        self._planes = Series(
            lambda number, window: plain.read(middle[number], window),
            self._count,
            self.tiling,
            spacing_zyx[1:],
            settings.context,
        )
        self._measured_s = time.perf_counter() - started
        self._compared_s = 0.0  # a plane
        self.together = not self._as_volume and self._related()

    def _related(self) -> bool:
        if not shares_networks(self._settings, self._count):
            return False
        chosen = spread(self._count, _LOOKED_AT)
        started = time.perf_counter()
        related = [self._planes.beside(number) is not None for number in chosen]
        self._compared_s = (time.perf_counter() - started) / len(chosen)
        return 2 * sum(related) >= len(related)

    @property
    def pixels_at_once(self) -> int:
        """Of the largest tiles that are denoised at once, or of a whole volume."""
        pixels = self.tiling.most_pixels
        return pixels * (self._count if self._as_volume else self._at_once)

    @property
    def _at_once(self) -> int:
        """How many planes or tiles are denoised side by side."""
        most = concurrent_tiles if self._shares else concurrent_fits
        planes, pixels = self._count, self.tiling.most_pixels
        if not (self._shares or shares_networks(self._settings, self._count)):
            # Then they are fitted beside planes of other series, too.
            planes *= self._series
        return min(
            most(self._settings, self._samples, pixels, self.device),
            planes * self.tiling.count,
        )

    @property
    def _shares(self) -> bool:
        """Whether planes or tiles share networks."""
        return self.together or (self.tiling.count > 1 and can_share(self._settings))

    def seconds(self) -> Measuring[float]:
        """Measure the expected duration; next to nothing where there is no noise."""
        if not self._planes.noise.model.sigma > 0:
            return 0.0
        yield
        one = yield from self._of_volume() if self._as_volume else self._of_series()
        return self._series * one

    def _sample(self) -> SeriesTile:
        """Return the middle of the middle plane, and of those beside it."""
        tile = self.tiling.tiles[self.tiling.count // 2]
        member = self._planes.member(self._count // 2, tile)
        context = member.context if self.together else ()
        height, width = member.problem.fitted_yx.shape
        # Fewer pixels are drawn in each step where few are trained on.
        inside = sum(self._inside) / len(self._inside)
        most = _SIDE if inside == 1 else math.isqrt(int(inside * height * width))
        side = max(min(most, _SIDE), _LEAST_SIDE)
        window = _centre(height, side), _centre(width, side)
        return replace(member, context=context).cropped(window)

    def _of_series(self) -> Measuring[float]:
        sample, settings = self._sample(), self._settings
        workload = Workload(
            planes=self._count,
            pixels=math.prod(self.tiling.shape_yx),
            rendered=sum(tile.weights_yx.size for tile in self.tiling.tiles),
            together=self.together,
            tiled=self.tiling.count > 1,
            settings=settings,
            at_once=runs_in_threads(len(settings.candidate_names), self.device),
        )
        at_once = self._at_once
        if not (self._shares or runs_in_threads(at_once, self.device)):
            # In turns on a GPU, which a short measurement does not show: told is what
            # one after the other takes, so that it is at most that.
            at_once = 1
        paces = yield from network_paces(
            sample, workload.parts, settings, self.device, workload.shares, at_once
        )
        yield
        other = other_pace(sample.problem, settings, self.device, at_once)
        fitted = workload.seconds(paces, other)
        return fitted + (self._prepared() if workload.shares else 0.0)

    def _prepared(self) -> float:
        """Return the seconds before a training: noise in common, planes compared."""
        return self._measured_s + self._compared_s * self._count

    def _of_volume(self) -> Measuring[float]:
        problem = self._sample().problem
        values = problem.plane_yxs.transpose(2, 0, 1).astype(np.float32)
        part = VolumeProblem(
            np.repeat(values[:, None], _DEPTH, axis=1),
            np.repeat(problem.fitted_yx[None], _DEPTH, axis=0),
            problem.noise,
            self._spacing,
        )
        yield
        pace = volume_pace(part, self._settings, self.device)
        voxels = self._count * math.prod(self.tiling.shape_yx)
        return self._settings.max_steps * pace.step + voxels * pace.pixel


def _centre(size: int, most: int) -> slice:
    first = max(size - most, 0) // 2
    return slice(first, min(first + most, size))
