"""Result of a run, and the steps that it yields before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.report.report import DenoiseReport, PlaneReport
from napari_inr_denoise.image.axes import Plane

if TYPE_CHECKING:  # two of these modules load torch
    from napari_inr_denoise.core.candidates.volume_function import FittedVolume
    from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep
    from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane


@dataclass(frozen=True)
class DenoiseResult:
    """A denoised image and its report.

    Attributes
    ----------
    image : ndarray of float32, or the array given as `out`
        Denoised image with the input's shape and intensity scale. Pixels that were not
        finite, and planes that were not reached before a stop, are unchanged.
    report : DenoiseReport
        Record of the run; `report.to_dict()` has the layout of report.json.
    maps : dict of str to ndarray of float32, or the arrays given as `map_outputs`
        Further values for each pixel, in the image's shape; NaN where unknown.
        "uncertainty": standard deviation of the error, in the image's units; absent if
        it is known nowhere. "residual": noisy minus denoised, in the image's units.
        "normalized_residual": residual divided by the local standard deviation of the
        noise. If `out` was given, only the maps of `map_outputs`.
    volumes : tuple of FittedVolume
        In the mode "volume", the fitted function of each volume, which can be evaluated
        at any resolution.
    """

    image: Any = field(repr=False)
    report: DenoiseReport
    maps: dict[str, Any] = field(default_factory=dict, repr=False)
    volumes: tuple[FittedVolume, ...] = field(default=(), repr=False)

    @property
    def uncertainty(self) -> NDArray[np.float32] | None:
        """Standard deviation of each pixel's error; None if it is known nowhere."""
        return self.maps.get("uncertainty")


class OnItsWay(Protocol):
    """Interface of a run in progress: its preview, and its result if it is stopped."""

    @property
    def finished(self) -> tuple[PlaneReport, ...]:
        """Records of the finished planes."""

    def so_far(self, step: DenoiseStep, shown: Mapping[str, int] | None) -> Any:  # noqa: ANN401 - as `out` is
        """Return the output, with the best state of the current plane written to it."""

    def stopped(self, step: DenoiseStep) -> DenoiseResult:
        """Return the finished planes and the best state of the current one."""


@dataclass(frozen=True)
class DenoiseStep:
    """A step of a run: one plane or tile while it is fitted, or when it is finished.

    Attributes
    ----------
    plane_number, plane_count : int
        Number of finished planes, without the one shown here, and number of all planes.
        If several planes are fitted at once, the first one is shown.
    tile_number, tile_count : int
        Number of the tile in its plane, and tiles per plane: 1 unless it is large.
    plane : Plane
        Position of the plane in the image.
    problem : NoisyPlane
        Noisy values of the plane or tile and their noise, in the image's units. During
        the training of shared networks it may be a part of the plane.
    result : FitResult
        The best state so far, or the final result.
    fit : FitStep or None
        Step of the fit; None when the plane or tile is finished.
    progress : float
        Estimated share of the whole run that is done, 0 to 1.
    learning : bool
        Whether networks are being trained that planes or tiles share.
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
        """Records of the planes that are finished and written to the result."""
        return self._run.finished

    @property
    def place(self) -> str:
        """The current plane and tile, as text; empty if there is only one."""
        if self.learning and self.tile_count > 1:
            return "training on parts of the image"
        if self.learning:  # planes that are alone share nothing
            several = f"{self.plane_count} planes"
            return f"training on {several if self.plane_count > 1 else 'the volume'}"
        parts = (
            ("plane", self.plane_number, self.plane_count),
            ("tile", self.tile_number, self.tile_count),
        )
        told = [f"{what} {k + 1} of {count}" for what, k, count in parts if count > 1]
        return ", ".join(told)

    def so_far(self, shown: Mapping[str, int] | None = None) -> Any:  # noqa: ANN401 - as `out` is
        """Return the result as it is now, as a preview.

        This is the array of the later `DenoiseResult`, not a copy: treat it as
        read-only. Planes that were not reached have the values of the source, or 0 if
        the source is lazy. A volume shows its middle plane, a plane in tiles its
        finished tiles. Call this in the thread of the generator, before its next step.

        Parameters
        ----------
        shown : mapping of str to int, optional
            Index of another plane, by axis letter, which a volume shows as well.

        Returns
        -------
        ndarray of float32, or the array given as `out`
            The image's shape and intensity units.
        """
        return self._run.so_far(self, shown)

    def stopped(self) -> DenoiseResult:
        """Return the result of a run that is stopped after this step."""
        return self._run.stopped(self)
