"""Estimate of time, memory and tiles of a run, before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from napari_inr_denoise.core.compute.devices import describe_device
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.maps import MAPS
from napari_inr_denoise.core.pipeline.volume.check import check_volume
from napari_inr_denoise.core.preflight.measured_run import MeasuredRun
from napari_inr_denoise.core.preflight.timing import (
    Measuring,
)
from napari_inr_denoise.core.report.duration import short_duration
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from napari_inr_denoise.image.axes import (
    count_planes,
    planes_of,
    resolve_axes,
    voxel_spacing,
)
from napari_inr_denoise.image.repeats import without_repeats
from napari_inr_denoise.image.source import ImageSource, MaskedImage, ReadableArray
from napari_inr_denoise.image.tiling import Tiling


@dataclass(frozen=True)
class Preflight:
    """Estimate of a run on this machine.

    Attributes
    ----------
    seconds : float
        Expected duration.
    range_s : tuple of float
        Shortest and longest duration, in seconds: the training ends where there is
        nothing more to gain.
    at_most : bool
        Whether the duration is an upper limit: the published method may stop early.
    memory_gb : float
        Expected peak memory of the process in GB (10^9 bytes), without the image.
    device : str
        Name of the device.
    planes : int
        Number of planes.
    together : bool
        Whether planes share networks.
    shape_yx : tuple of int
        Height and width of a plane.
    tiling : Tiling
        Tiles of each plane. Of an enlarged plane, they have the recorded pixels only.
    finishing_s : float
        The part of `seconds` after the training of a plane that shares no network: its
        prediction, filters and quality.
    steps : tuple of float
        The fewest and the most steps after which a training of a plane can end.
    """

    seconds: float
    range_s: tuple[float, float]
    at_most: bool
    memory_gb: float
    device: str
    planes: int
    together: bool
    shape_yx: tuple[int, int]
    tiling: Tiling
    finishing_s: float = 0.0
    steps: tuple[float, float] = (0.0, 0.0)

    @property
    def kind(self) -> tuple[object, ...]:
        """What it has in common with runs that are slowed down and end alike.

        An easy image says nothing of where the training of another one ends.
        """
        is_early = self.seconds <= self.range_s[0]
        tiled = self.tiling.count > 1
        return self.device, self.together, tiled, self.at_most, is_early

    def words(self) -> str:
        """Return the estimate as a sentence."""
        height, width = self.shape_yx
        planes = f"{self.planes} planes" if self.planes > 1 else "1 plane"
        shared = ", trained jointly" if self.together else ""
        tiles = f" in {self.tiling.count} tiles" if self.tiling.count > 1 else ""
        most = "at most " if self.at_most else "about "
        return (
            f"{planes} of {height}x{width}{tiles}{shared}: {most}"
            f"{short_duration(max(self.seconds, 1))}{self._range_words()} and "
            f"{self.memory_gb:.1f} GB on {self.device}."
        )

    def _range_words(self) -> str:
        low, high = map(short_duration, self.range_s)
        unit = high.split()[1]
        return "" if low == high else f" ({low.removesuffix(f' {unit}')} to {high})"


def preflight(
    image: ArrayLike | ReadableArray | MaskedImage,
    axes: str | None = None,
    settings: DenoiseSettings | None = None,
    spacing_um: Sequence[float] | None = None,
    *,
    streamed: bool = False,
) -> Preflight:
    """Estimate time and memory of a run from a short measurement on this machine.

    The networks are trained for a few steps on a part of the middle plane, and predict
    it. The duration of the run is calculated from this pace.

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
    steps = preflight_steps(
        image, axes, settings, spacing_um, streamed=streamed, previews=False
    )
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
    previews: bool = True,
) -> Measuring[Preflight]:
    """Do the same as `preflight`, as a generator that can be closed between steps.

    Before it first yields, the noise is measured and planes are compared, which takes
    two seconds for large images. Other parameters, result and errors are those of
    `preflight`.

    Parameters
    ----------
    image, axes, settings, spacing_um, streamed
        As for `preflight`.
    previews : bool
        As for `denoise_steps`: whether planes are predicted during the training, to be
        shown. `preflight` counts none, as `denoise` and the command line make none.

    Yields
    ------
    None
        Between the measurements.
    """
    settings = preset_settings("auto") if settings is None else settings
    source = ImageSource(image)
    axes = resolve_axes(source.ndim, axes)
    source.check_mask(axes)
    spacing = voxel_spacing(axes, spacing_um)
    distinct, spacing, _ = without_repeats(source, axes, spacing)
    if settings.mode == "volume":
        check_volume(axes, distinct.shape, settings)
    plan = MeasuredRun(distinct, axes, settings, spacing, previews=previews)
    seconds, range_s = yield from plan.seconds()
    # The result and its maps, as float32.
    kept = 0.0 if streamed else 4e-9 * (1 + len(MAPS)) * source.size
    return Preflight(
        seconds=seconds,
        range_s=range_s,
        at_most=plan.at_most,
        memory_gb=kept + plan.memory_gb,
        device=describe_device(plan.device),
        planes=count_planes(axes, source.shape),
        together=plan.together,
        shape_yx=next(planes_of(axes, source.shape)).shape_yx(source.shape),
        tiling=plan.tiling,
        finishing_s=plan.finishing_s,
        steps=plan.steps,
    )
