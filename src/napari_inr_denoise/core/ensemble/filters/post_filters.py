"""Post-filters, which are applied in order to the weighted mean of the candidates.

Each takes an estimate with its divergence and returns one. The filters of
`PILOT_FILTERS` need nothing but the plane. Those of `POST_FILTERS` come after them, and
see the planes beside it in a stack after the same filters. A new filter is a function
of this interface in a file of its own, and one line in `POST_FILTERS`. A caller outside
of the package adds its own:

    POST_FILTERS["my-filter"] = my_filter
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.filters.limits import (
    keep_in_range,
    keep_structure,
)
from napari_inr_denoise.core.ensemble.filters.plane_mean import averaged_with
from napari_inr_denoise.core.ensemble.filters.ridge import ridge_averaged
from napari_inr_denoise.core.ensemble.filters.smoothing import (
    smoothed,
    with_contrast_of,
)
from napari_inr_denoise.core.ensemble.filters.wiener import wiener_averaged
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane


@dataclass(frozen=True)
class Estimate:
    """A denoised plane and how much of the noise is left in it.

    Attributes
    ----------
    plane_yxs : ndarray of float32, shape (Y, X, samples)
        Denoised intensities in the image's units.
    divergence_yxs : ndarray of float32, shape (Y, X, samples)
        Derivative of each output pixel by its own noisy pixel, as in `Candidate`.
    """

    plane_yxs: NDArray[np.float32] = field(repr=False)
    divergence_yxs: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True)
class FilterProblem:
    """What a post-filter may know in addition to the estimate.

    Attributes
    ----------
    plane : NoisyPlane
        The noisy plane and its noise.
    held_out_yx : ndarray of bool, shape (Y, X)
        Pixels that no candidate was trained on.
    device : torch.device
        Where to compute.
    shared : bool
        Whether the candidates were trained on several planes, and so fit less of the
        noise of each.
    beside : tuple of (NoisyPlane, Estimate)
        Planes beside this one in a stack that show similar structure, and their
        estimates after `PILOT_FILTERS`.
    rounds : int
        How often similar patches are averaged.
    """

    plane: NoisyPlane
    held_out_yx: NDArray[np.bool_] = field(repr=False)
    device: torch.device
    shared: bool = False
    beside: tuple[tuple[NoisyPlane, Estimate], ...] = field(default=(), repr=False)
    rounds: int = 1


class PostFilter(Protocol):
    """One step after the candidates are combined."""

    def __call__(self, problem: FilterProblem, estimate: Estimate) -> Estimate:
        """Return the filtered estimate, or the same where the filter does not apply."""


def guided(problem: FilterProblem, estimate: Estimate) -> Estimate:
    """Smooth contrast that is small beside the estimate's own error."""
    plane_yxs = smoothed(
        problem.plane,
        estimate.plane_yxs,
        estimate.divergence_yxs,
        problem.held_out_yx,
    )
    if problem.shared:
        plane_yxs = with_contrast_of(
            estimate.plane_yxs, plane_yxs, problem.plane.fitted_yx
        )
    return Estimate(plane_yxs, estimate.divergence_yxs)


def wiener(problem: FilterProblem, estimate: Estimate) -> Estimate:
    """Average with the Wiener filter of the noisy plane that the estimate steers."""
    plane_yxs = wiener_averaged(problem.plane, estimate.plane_yxs, problem.device)
    return Estimate(plane_yxs, estimate.divergence_yxs)


def plane_mean(problem: FilterProblem, estimate: Estimate) -> Estimate:
    """Average with the planes beside, where that lowers the estimated risk."""
    plane_yxs = averaged_with(
        problem.plane, estimate.plane_yxs, estimate.divergence_yxs, _beside(problem)
    )
    return Estimate(plane_yxs, estimate.divergence_yxs)


def ridge(problem: FilterProblem, estimate: Estimate) -> Estimate:
    """Average with the regression of similar noisy patches that the estimate steers."""
    plane_yxs = ridge_averaged(
        problem.plane,
        estimate.plane_yxs,
        problem.device,
        _beside(problem),
        problem.rounds,
    )
    return Estimate(plane_yxs, estimate.divergence_yxs)


def _beside(problem: FilterProblem) -> list[tuple[NoisyPlane, NDArray[np.float32]]]:
    return [(plane, other.plane_yxs) for plane, other in problem.beside]


def structure_limit(problem: FilterProblem, estimate: Estimate) -> Estimate:
    """Give back, window by window, what was removed beyond the noise."""
    return Estimate(
        *keep_structure(problem.plane, estimate.plane_yxs, estimate.divergence_yxs)
    )


def range_limit(problem: FilterProblem, estimate: Estimate) -> Estimate:
    """Clip values that lie clearly outside of all that was measured."""
    plane_yxs = keep_in_range(problem.plane, estimate.plane_yxs)
    return Estimate(plane_yxs, estimate.divergence_yxs)


PILOT_FILTERS: dict[str, PostFilter] = {
    "guided": guided,
    "wiener": wiener,
}
"""Filters of one plane by name, in the order in which they are applied."""
POST_FILTERS: dict[str, PostFilter] = {
    "plane_mean": plane_mean,
    "ridge": ridge,
}
"""The same for the filters after them, which see the planes beside."""
LIMITS: dict[str, PostFilter] = {
    "structure": structure_limit,
    "range": range_limit,
}
"""Applied after every other filter, so that none can break them."""


def apply_pilot_filters(problem: FilterProblem, estimate: Estimate) -> Estimate:
    """Return the estimate after the filters that need one plane only."""
    return _after(PILOT_FILTERS, problem, estimate)


def apply_post_filters(problem: FilterProblem, estimate: Estimate) -> Estimate:
    """Return the estimate after the filters that see the planes beside."""
    return _after(POST_FILTERS, problem, estimate)


def apply_limits(problem: FilterProblem, estimate: Estimate) -> Estimate:
    """Return the estimate after the limits."""
    return _after(LIMITS, problem, estimate)


def _after(
    filters: dict[str, PostFilter], problem: FilterProblem, estimate: Estimate
) -> Estimate:
    for apply in filters.values():
        estimate = kept_finite(apply(problem, estimate), estimate)
    return estimate


def kept_finite(found: Estimate, before: Estimate) -> Estimate:
    """Return a filtered estimate, with the values before where it is not finite.

    Squares of intensities near the largest number of float32 are infinite.
    """
    finite = np.isfinite(found.plane_yxs)
    if finite.all():
        return found
    return Estimate(
        np.where(finite, found.plane_yxs, before.plane_yxs),
        np.where(finite, found.divergence_yxs, before.divergence_yxs),
    )
