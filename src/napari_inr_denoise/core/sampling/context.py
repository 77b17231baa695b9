"""Context slices: adjacent planes as network inputs, matched in brightness.

Without the matching, the prediction would take part of its brightness from the context
slices, which may be bleached more or less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.sampling.normalization import CommonScale

LEVEL_WIDTH = 1.5
"""Standard deviation, in pixels, of the Gaussian weights of the local level."""
_WIDTHS = 3.0
"""Truncation, in standard deviations, of the blur that is used for the matching."""
_SLOPES = (0.25, 4.0)
"""Allowed range of the factor that matches a plane's brightness to another."""


def context_planes(
    problem: NoisyPlane,
    context: Sequence[NoisyPlane | None],
    common: CommonScale,
    device: torch.device,
) -> list[Tensor]:
    """Return the context slices of a plane as network inputs.

    Parameters
    ----------
    problem : NoisyPlane
        The plane to predict.
    context : sequence of NoisyPlane or None
        Context slices of the same shape; None for a missing one.
    common : CommonScale
        Normalization of the planes that share the network.
    device : torch.device
        Device of the result.

    Returns
    -------
    list of Tensor, each of shape (samples + 1, Y, X)
        Variance-stabilized values, 0 at invalid pixels, and last the mask: 1 at valid
        pixels, 0 elsewhere. A missing slice has no valid pixels.
    """
    if not context:
        return []
    own = _masked(problem, common, device)
    width = LEVEL_WIDTH + problem.blind_radius
    levels = _levels(own, width)
    return [
        torch.zeros_like(own)
        if one is None
        else _matched(_masked(one, common, device), width, levels)
        for one in context
    ]


def _masked(problem: NoisyPlane, common: CommonScale, device: torch.device) -> Tensor:
    counts = torch.from_numpy(problem.fitted_yx.copy()).to(device, torch.float32)
    values = common.stabilized_syx(problem, device)
    return torch.cat([values * counts, counts[None]])


def local_levels(
    planes: Tensor, width: float, reach: int, blind_radius: int | None = None
) -> Tensor:
    """Return the local levels, Gaussian-weighted means, (Y * X, planes - 1).

    Parameters
    ----------
    planes : Tensor, shape (planes, Y, X)
        Values, 0 at invalid pixels. The last plane is the mask of valid pixels.
    width : float
        Standard deviation of the weights, in pixels.
    reach : int
        Radius of the square window, in pixels.
    blind_radius : int, optional
        Blind-spot radius, in pixels; 0 leaves out only the pixel itself. Nothing is
        left out if omitted.
    """
    line = [math.exp(-((k / width) ** 2) / 2) for k in range(-reach, reach + 1)]
    inside = -1 if blind_radius is None else blind_radius
    hidden = [w if abs(k - reach) <= inside else 0.0 for k, w in enumerate(line)]
    outside = [w - part for w, part in zip(line, hidden, strict=True)]
    # Separable sums along Y and X are much faster than sums over the square. The blind
    # spot is never added, so that not one bit of it leaks.
    blurred = _along(_along(planes, line, 2), outside, 1)
    if blind_radius is not None:
        blurred += _along(_along(planes, outside, 2), hidden, 1)
    return (blurred[:-1] / blurred[-1].clamp_min(1e-6)).flatten(1).t()


def _along(planes: Tensor, line: Sequence[float], dimension: int) -> Tensor:
    """Return weighted sums along one dimension, 0 beyond the edges.

    Shifted additions take a quarter of the time of a convolution on the CPU.
    """
    reach, size = len(line) // 2, planes.shape[dimension]
    padded = F.pad(planes, (reach, reach) if dimension == 2 else (0, 0, reach, reach))
    total = torch.zeros_like(planes)
    for first, weight in enumerate(line):
        if weight:
            total.add_(padded.narrow(dimension, first, size), alpha=weight)
    return total


def _levels(planes: Tensor, width: float) -> Tensor:
    return local_levels(planes, width, int(_WIDTHS * width))


def _matched(planes: Tensor, width: float, level: Tensor) -> Tensor:
    """Return a context slice matched in brightness by a linear fit of local levels.

    Parameters
    ----------
    planes, width
        As for `local_levels`.
    level : Tensor, shape (Y * X, samples)
        Local level of the plane to predict.
    """
    counts = planes[-1]
    inside = counts.flatten() > 0
    if not inside.any():
        return planes
    own, other = level[inside], _levels(planes, width)[inside]
    means = _mean(own), _mean(other)
    together = _mean((own - means[0]) * (other - means[1]))
    spread = _mean((other - means[1]).square()).clamp_min(1e-12)
    slope = (together / spread).clamp(*_SLOPES)
    moved = (planes[:-1] - means[1][:, None, None]) * slope[:, None, None]
    values = (moved + means[0][:, None, None]) * counts
    return torch.cat([values, counts[None]])


def _mean(values: Tensor) -> Tensor:
    """Return the mean over the first dimension.

    It uses numpy, whose summation order does not depend on the number of threads.
    """
    return torch.from_numpy(values.cpu().numpy().mean(axis=0)).to(values)
