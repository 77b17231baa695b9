"""Filters of the planes of a volume, which use that the order along Z is known.

Each takes the place of a filter of `POST_FILTERS`, which sees the planes beside as
further planes of the same kind, or comes beside it. They are applied in order, each to
all planes before the next: a filter sees the others after the one before it. A new
filter is a function of this interface and one line in `VOLUME_FILTERS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.filters.plane_mean import averaged_with
from napari_inr_denoise.core.ensemble.filters.post_filters import Estimate
from napari_inr_denoise.core.ensemble.filters.ridge import (
    ridge_averaged,
    ridge_averaged_in_volume,
)
from napari_inr_denoise.core.ensemble.filters.wiener import wiener_averaged_in_volume
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane


@dataclass(frozen=True)
class VolumePlane:
    """A plane of a volume, with all that a filter may know.

    Attributes
    ----------
    planes : sequence of NoisyPlane
        Planes that follow each other along Z and show similar structure.
    estimates : sequence of Estimate
        Their estimates so far.
    number : int
        Index of the plane to filter.
    device : torch.device
        Where to compute.
    rounds : int
        How often similar patches of single planes are averaged.
    """

    planes: Sequence[NoisyPlane] = field(repr=False)
    estimates: Sequence[Estimate] = field(repr=False)
    number: int
    device: torch.device
    rounds: int = 1

    @property
    def results(self) -> list[tuple[NoisyPlane, NDArray[np.float32]]]:
        """The planes with their results so far."""
        return [
            (plane, one.plane_yxs)
            for plane, one in zip(self.planes, self.estimates, strict=True)
        ]

    @property
    def beside(self) -> list[tuple[NoisyPlane, NDArray[np.float32]]]:
        """The planes beside this one, with their results so far."""
        numbers = self.number - 1, self.number + 1
        return [self.results[k] for k in numbers if 0 <= k < len(self.planes)]


class VolumeFilter(Protocol):
    """One step after the candidates are combined plane by plane."""

    def __call__(self, plane: VolumePlane) -> Estimate:
        """Return the filtered estimate, or the same where the filter does not apply."""


def plane_mean(plane: VolumePlane) -> Estimate:
    """Average with the planes beside, where that lowers the estimated risk."""
    own, problem = plane.estimates[plane.number], plane.planes[plane.number]
    averaged = averaged_with(problem, own.plane_yxs, own.divergence_yxs, plane.beside)
    return replace(own, plane_yxs=averaged)


def wiener(plane: VolumePlane) -> Estimate:
    """Average with the Wiener filter of blocks of three planes."""
    averaged = wiener_averaged_in_volume(plane.results, plane.number, plane.device)
    return replace(plane.estimates[plane.number], plane_yxs=averaged)


def ridge(plane: VolumePlane) -> Estimate:
    """Average with the regression of similar patches of three planes."""
    averaged = ridge_averaged_in_volume(plane.results, plane.number, plane.device)
    return replace(plane.estimates[plane.number], plane_yxs=averaged)


def ridge_beside(plane: VolumePlane) -> Estimate:
    """Average with the regression of similar patches of one plane, as in a stack."""
    problem, plane_yxs = plane.results[plane.number]
    averaged = ridge_averaged(
        problem, plane_yxs, plane.device, plane.beside, plane.rounds
    )
    return replace(plane.estimates[plane.number], plane_yxs=averaged)


STACK_FILTERS: dict[str, VolumeFilter] = {
    "plane_mean": plane_mean,
    "ridge": ridge_beside,
}
"""Filters where structure does not continue along Z: those of stacks, by name."""
VOLUME_FILTERS: dict[str, VolumeFilter] = {
    "plane_mean": plane_mean,
    "wiener": wiener,
    "ridge": ridge,
    "ridge_again": ridge,
}
"""Filters where structure continues along Z, in their order. The second regression
has the result of the first for a pilot."""
FARTHEST = 0.47
"""Largest distance of planes, as from `distance_to_next`, at which structure continues.
The filters gained on volumes of 0.10 to 0.34, and lost up to 1.1 dB on phantoms of 0.55
to 2. They would have gained on others of 0.53 to 0.85 (filaments, cells)."""
