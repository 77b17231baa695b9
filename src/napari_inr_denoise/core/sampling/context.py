"""Planes beside a plane, made as bright as the plane itself before a network sees them.

Without it a plane would take some of its brightness from the planes beside it, which
may have been bleached more or less.
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
"""Standard deviation, in pixels, of the weights of a local level."""
_WIDTHS = 3.0
"""Standard deviations out to which planes beside are blurred to be matched."""
_SLOPES = (0.25, 4.0)
"""How much dimmer or brighter a plane is made to match another."""


def context_planes(
    problem: NoisyPlane,
    context: Sequence[NoisyPlane | None],
    common: CommonScale,
    device: torch.device,
) -> list[Tensor]:
    """Return planes of the context as a network sees them.

    Parameters
    ----------
    problem : NoisyPlane
        The plane that they lie beside.
    context : sequence of NoisyPlane or None
        Planes of the same shape; None where there is none.
    common : CommonScale
        Of the planes that share the network.
    device : torch.device
        Where they are wanted.

    Returns
    -------
    list of Tensor, each of shape (samples + 1, Y, X)
        Stabilised values, 0 where they don't count, and last 1 where they do. Where
        there is no plane nothing counts.
    """
    if not context:
        return []
    own = _counted(problem, common, device)
    width = LEVEL_WIDTH + problem.hole
    levels = _levels(own, width)
    return [
        torch.zeros_like(own)
        if one is None
        else _matched(_counted(one, common, device), width, levels)
        for one in context
    ]


def _counted(problem: NoisyPlane, common: CommonScale, device: torch.device) -> Tensor:
    counts = torch.from_numpy(problem.fitted_yx.copy()).to(device, torch.float32)
    values = common.stabilised_syx(problem, device)
    return torch.cat([values * counts, counts[None]])


def local_levels(
    planes: Tensor, width: float, reach: int, hole: int | None = None
) -> Tensor:
    """Return the weighted means around each pixel, (Y * X, planes - 1).

    Parameters
    ----------
    planes : Tensor, shape (planes, Y, X)
        Values, 0 where they don't count; the last plane is 1 where they do.
    width : float
        Standard deviation of the weights, in pixels.
    reach : int
        Of the square that is taken, in pixels.
    hole : int, optional
        Reach of the square inside that is left out; 0 leaves out the pixel alone.
    """
    line = [math.exp(-((k / width) ** 2) / 2) for k in range(-reach, reach + 1)]
    inside = -1 if hole is None else hole
    near = [w if abs(k - reach) <= inside else 0.0 for k, w in enumerate(line)]
    far = [w - part for w, part in zip(line, near, strict=True)]
    # Along Y and then along X is the same as over the square, in far less time. What
    # is left out has no weight, and not one bit of it is seen.
    blurred = _along(_along(planes, line, 2), far, 1)
    if hole is not None:
        blurred += _along(_along(planes, far, 2), near, 1)
    return (blurred[:-1] / blurred[-1].clamp_min(1e-6)).flatten(1).t()


def _along(planes: Tensor, line: Sequence[float], dimension: int) -> Tensor:
    """Return weighted sums along one dimension, 0 beyond the edges.

    Shifted and added: on the CPU in a quarter of a convolution's time.
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
    """Return a plane of the context as bright as this one, by the levels of both.

    Parameters
    ----------
    planes, width
        As for `local_levels`.
    level : Tensor, shape (Y * X, samples)
        Of this plane.
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

    By numpy, which adds in the same order however many threads there are.
    """
    return torch.from_numpy(values.cpu().numpy().mean(axis=0)).to(values)
