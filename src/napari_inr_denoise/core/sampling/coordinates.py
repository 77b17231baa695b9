"""Normalized coordinates of pixel centres, in [-1, 1]."""

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
    """Return the normalized coordinates of positions in a plane or volume.

    The outer edges are at -1 and 1 along the physically longest side, and closer to 0
    along the others, so that a frequency has the same physical meaning along all.

    Parameters
    ----------
    positions : Tensor, shape (N, dimensions)
        (Row, column) or (plane, row, column) in pixels. The centre of the first pixel
        is at 0. Fractions and positions outside are allowed.
    shape : tuple of int
        Number of pixels along each dimension.
    spacing : tuple of float, optional
        Pixel size along each dimension, all in the same unit. Isotropic if omitted.

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
    """Return half the shape in pixels, the pixel sizes, and the common scale.

    Cached: creating a tensor from numbers makes the host wait for the GPU, here twice
    per step.
    """
    size = torch.tensor(shape, dtype=torch.float32, device=device)
    sizes = torch.tensor(spacing, dtype=torch.float32, device=device)
    return size / 2, sizes, 2.0 / (size * sizes).max()


def first_layer_omega(
    shortest_period: float,
    shape: tuple[int, ...],
    spacing: tuple[float, ...] | None = None,
) -> float:
    """Return the first layer's omega for a shortest representable period in pixels.

    The first weights of a SIREN are at most 1 / inputs, and coordinates change by
    2 / length per pixel. The phase therefore changes by at most
    2 omega / (inputs * length) per pixel along each dimension.

    Parameters
    ----------
    shortest_period : float
        Period, in pixels of the smallest spacing.
    shape, spacing : tuple
        As for `pixel_coordinates`.
    """
    sizes = spacing or (1.0,) * len(shape)
    pairs = zip(shape, sizes, strict=True)
    length = max(size * step for size, step in pairs) / min(sizes)
    return math.pi * len(shape) * length / shortest_period
