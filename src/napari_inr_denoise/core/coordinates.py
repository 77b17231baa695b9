"""Pixel centres as coordinates: the one place that knows the [-1, 1] convention."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def pixel_coordinates(
    positions_yx: Tensor,
    shape_yx: tuple[int, int],
    spacing_yx: tuple[float, float] = (1.0, 1.0),
) -> Tensor:
    """Return the network's coordinates of positions in a plane.

    The plane's outer edges lie at -1 and 1 along its physically longer side and
    nearer to 0 along the other, so that a frequency means the same in both.

    Parameters
    ----------
    positions_yx : Tensor, shape (N, 2)
        Row and column in pixels; (0, 0) is the centre of the first pixel. Fractions
        and positions outside the plane are allowed.
    shape_yx : tuple of int
        Height and width in pixels.
    spacing_yx : tuple of float
        Height and width of a pixel; any one unit.

    Returns
    -------
    Tensor, shape (N, 2)
        float32.
    """
    like = {"dtype": torch.float32, "device": positions_yx.device}
    size = torch.tensor(shape_yx, **like)  # type: ignore[arg-type]
    spacing = torch.tensor(spacing_yx, **like)  # type: ignore[arg-type]
    centred = positions_yx.to(torch.float32) + 0.5 - size / 2
    return centred * spacing * (2.0 / (size * spacing).max())


def first_layer_omega(
    shortest_period: float,
    shape_yx: tuple[int, int],
    spacing_yx: tuple[float, float] = (1.0, 1.0),
) -> float:
    """Return the first layer's frequency for a shortest period in pixels.

    Weights of up to 1/2 (SIREN with two inputs) over coordinates that change by
    2 / length a pixel give an argument of at most omega / length a pixel.

    Parameters
    ----------
    shortest_period : float
        In pixels of the smaller spacing.
    shape_yx, spacing_yx : tuple
        As for `pixel_coordinates`.
    """
    pairs = zip(shape_yx, spacing_yx, strict=True)
    length = max(size * step for size, step in pairs) / min(spacing_yx)
    return 2 * math.pi * length / shortest_period
