"""What a run hands over: steps on the way, and the result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.volume_function import FittedVolume
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.report import DenoiseReport, PlaneReport
from napari_inr_denoise.image.axes import Plane


@dataclass(frozen=True)
class DenoiseResult:
    """A denoised image and how it came about.

    Attributes
    ----------
    image : ndarray of float32, or what was given as `out`
        The input's shape and intensity scale. Pixels that were not finite are as
        they were; so are planes that were not reached before a stop.
    report : DenoiseReport
        `report.to_dict()` has the layout of report.json.
    maps : dict of str to ndarray of float32, or what was given as `map_outputs`
        Further values for each pixel, in the image's shape; NaN where they are not
        known. "uncertainty": standard deviation of the error, in the image's units;
        missing where it is known nowhere. "residual": noisy less denoised, in the
        image's units. "normalized_residual": the residual over the local standard
        deviation of the noise. Where the result was written to `out`, only those that
        were asked for.
    volumes : tuple of FittedVolume
        In the mode "volume", one for each volume that was fitted: functions that may
        be evaluated at any resolution.
    """

    image: Any = field(repr=False)
    report: DenoiseReport
    maps: dict[str, Any] = field(default_factory=dict, repr=False)
    volumes: tuple[FittedVolume, ...] = field(default=(), repr=False)

    @property
    def uncertainty(self) -> NDArray[np.float32] | None:
        """Standard deviation of each pixel's error; None where it is known nowhere."""
        return self.maps.get("uncertainty")


class OnItsWay(Protocol):
    """A run that can say what there is by now, and what is kept if it ends."""

    @property
    def finished(self) -> tuple[PlaneReport, ...]:
        """Records of the finished planes."""

    def so_far(self, step: DenoiseStep) -> Any:  # noqa: ANN401 - as `out` is
        """Return the output with the best so far of the plane at work."""

    def stopped(self, step: DenoiseStep) -> DenoiseResult:
        """Return the finished planes and the best so far of the one at work."""


@dataclass(frozen=True)
class DenoiseStep:
    """A look at one plane while it is fitted, or when it is finished.

    Attributes
    ----------
    plane_number, plane_count : int
        How many planes are finished (in a finished plane's step, before it), and how
        many there are. Of several at work the first is looked at.
    tile_number, tile_count : int
        The tile of the plane, and how many a plane has: 1 unless it is large.
    plane : Plane
        Where it lies in the image.
    problem : NoisyPlane
        The noisy values of the plane or tile and its noise, in the image's units.
        While the planes of a stack learn together it may be a part of the plane.
    result : FitResult
        The best state so far, or the final one.
    fit : FitStep or None
        The fit's own step; None when the plane or tile is finished.
    progress : float
        Estimated share of the whole run that is done, 0 to 1.
    learning : bool
        Whether a network is trained that planes or tiles share.
    """

    plane_number: int
    plane_count: int
    tile_number: int
    tile_count: int
    plane: Plane
    problem: NoisyPlane
    result: FitResult
    fit: FitStep | None
    progress: float
    learning: bool
    _run: OnItsWay = field(repr=False, compare=False)

    @property
    def finished(self) -> tuple[PlaneReport, ...]:
        """Records of the planes that are finished by now and written to the result."""
        return self._run.finished

    @property
    def place(self) -> str:
        """The plane and tile at work, in words; empty where there is but one."""
        if self.learning and self.tile_count > 1:
            return "learning from parts of the image"
        if self.learning:
            return f"learning from all {self.plane_count} planes"
        parts = (
            ("plane", self.plane_number, self.plane_count),
            ("tile", self.tile_number, self.tile_count),
        )
        told = [f"{what} {k + 1} of {count}" for what, k, count in parts if count > 1]
        return ", ".join(told)

    def so_far(self) -> Any:  # noqa: ANN401 - as `out` is
        """Return the result as it is now, to be shown while it is made.

        It is the array of the later `DenoiseResult`, not a copy: treat it as
        read-only. Planes that were not reached are as in the source, or 0 where the
        source is lazy. Of a volume its middle plane is shown, and of a plane in tiles
        what is finished of it. Call this before the generator goes on, in its thread.

        Returns
        -------
        ndarray of float32, or what was given as `out`
            The image's shape and intensity units.
        """
        return self._run.so_far(self)

    def stopped(self) -> DenoiseResult:
        """Return what a caller keeps that closes the generator after this step."""
        return self._run.stopped(self)
