"""Pixel centres as coordinates: the one place that knows the [-1, 1] convention."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor


def pixel_coordinates(
    positions: Tensor,
    shape: tuple[int, ...],
    spacing: tuple[float, ...] | None = None,
) -> Tensor:
    """Return the network's coordinates of positions in a plane or volume.

    The outer edges lie at -1 and 1 along the physically longest side and nearer to 0
    along the others, so that a frequency means the same in all.

    Parameters
    ----------
    positions : Tensor, shape (N, dimensions)
        Row and column in pixels, or plane, row and column; zeros are the centre of
        the first pixel. Fractions and positions outside are allowed.
    shape : tuple of int
        Pixels along each dimension.
    spacing : tuple of float, optional
        Size of a pixel along each; any one unit. All alike if omitted.

    Returns
    -------
    Tensor, shape (N, dimensions)
        float32.
    """
    middle, sizes, scale = _lengths(
        tuple(shape), tuple(spacing or (1.0,) * len(shape)), positions.device
    )
    centred = positions.to(torch.float32) + 0.5 - middle
    return centred * sizes * scale


@lru_cache(maxsize=32)
def _lengths(
    shape: tuple[int, ...], spacing: tuple[float, ...], device: torch.device
) -> tuple[Tensor, Tensor, Tensor]:
    """Return half the size in pixels, the size of a pixel, and the common scale.

    Kept, because a tensor made of numbers is copied to a GPU, and the host waits for
    it: twice in every step.
    """
    size = torch.tensor(shape, dtype=torch.float32, device=device)
    sizes = torch.tensor(spacing, dtype=torch.float32, device=device)
    return size / 2, sizes, 2.0 / (size * sizes).max()


def first_layer_omega(
    shortest_period: float,
    shape: tuple[int, ...],
    spacing: tuple[float, ...] | None = None,
) -> float:
    """Return the first layer's frequency for a shortest period in pixels.

    SIREN's first weights are up to 1 / inputs; over coordinates that change by
    2 / length a pixel the argument grows by at most 2 omega / (inputs * length).

    Parameters
    ----------
    shortest_period : float
        In pixels of the smallest spacing.
    shape, spacing : tuple
        As for `pixel_coordinates`.
    """
    sizes = spacing or (1.0,) * len(shape)
    pairs = zip(shape, sizes, strict=True)
    length = max(size * step for size, step in pairs) / min(sizes)
    return math.pi * len(shape) * length / shortest_period
