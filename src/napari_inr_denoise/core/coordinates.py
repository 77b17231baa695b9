"""Pixel centres as coordinates: the one place that knows the [-1, 1] convention."""

from __future__ import annotations

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
