"""Planes beside a plane, made as bright as the plane itself before a network sees them.

Without it a plane would take some of its brightness from the planes beside it, which
may have been bleached more or less.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from napari_inr_denoise.core.problem import FitProblem
from napari_inr_denoise.core.scaling import CommonScale

LEVEL_WIDTH = 1.5
"""Standard deviation, in pixels, of the weights of a local level."""
_SLOPES = (0.25, 4.0)
"""How much dimmer or brighter a plane is made to match another."""


def planes_beside(
    problem: FitProblem,
    context: Sequence[FitProblem | None],
    common: CommonScale,
    device: torch.device,
) -> list[Tensor]:
    """Return planes of the context as a network sees them.

    Parameters
    ----------
    problem : FitProblem
        The plane that they lie beside.
    context : sequence of FitProblem or None
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
    kernel = _kernel(LEVEL_WIDTH + problem.hole, device)
    levels = local_levels(own, kernel)
    return [
        torch.zeros_like(own)
        if one is None
        else _matched(_counted(one, common, device), kernel, levels)
        for one in context
    ]


def _counted(problem: FitProblem, common: CommonScale, device: torch.device) -> Tensor:
    counts = torch.from_numpy(problem.fitted_yx.copy()).to(device, torch.float32)
    values = common.stabilised_syx(problem, device)
    return torch.cat([values * counts, counts[None]])


def _kernel(width: float, device: torch.device) -> Tensor:
    """Return a normal kernel out to three widths."""
    reach = int(3 * width)
    steps = torch.arange(-reach, reach + 1, device=device) / width
    line = torch.exp(-steps.square() / 2)
    return (line[:, None] * line)[None, None]


def local_levels(planes: Tensor, kernel: Tensor) -> Tensor:
    """Return the weighted means around each pixel, (Y * X, planes - 1).

    Parameters
    ----------
    planes : Tensor, shape (planes, Y, X)
        Values, 0 where they don't count; the last plane is 1 where they do.
    kernel : Tensor, shape (1, 1, side, side)
        Weights.
    """
    blurred = F.conv2d(planes[:, None], kernel, padding=kernel.shape[-1] // 2)[:, 0]
    return (blurred[:-1] / blurred[-1].clamp_min(1e-6)).flatten(1).t()


def _matched(planes: Tensor, kernel: Tensor, level: Tensor) -> Tensor:
    """Return a plane of the context as bright as this one, by the levels of both.

    Parameters
    ----------
    planes, kernel : Tensor
        As for `local_levels`.
    level : Tensor, shape (Y * X, samples)
        Of this plane.
    """
    counts = planes[-1]
    inside = counts.flatten() > 0
    if not inside.any():
        return planes
    own, other = level[inside], local_levels(planes, kernel)[inside]
    means = own.mean(dim=0), other.mean(dim=0)
    together = ((own - means[0]) * (other - means[1])).mean(dim=0)
    spread = (other - means[1]).square().mean(dim=0).clamp_min(1e-12)
    slope = (together / spread).clamp(*_SLOPES)
    moved = (planes[:-1] - means[1][:, None, None]) * slope[:, None, None]
    values = (moved + means[0][:, None, None]) * counts
    return torch.cat([values, counts[None]])
