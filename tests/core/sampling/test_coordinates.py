from __future__ import annotations

import math

import pytest
import torch

from napari_inr_denoise.core.sampling.coordinates import (
    first_layer_omega,
    pixel_coordinates,
)


def test_edges_lie_at_one_on_the_long_side() -> None:
    corners = torch.tensor([[-0.5, -0.5], [9.5, 19.5]])
    wanted = torch.tensor([[-0.5, -1.0], [0.5, 1.0]])
    torch.testing.assert_close(pixel_coordinates(corners, (10, 20)), wanted)


def test_spacing_decides_which_side_is_long() -> None:
    corner = torch.tensor([[9.5, 19.5]])
    found = pixel_coordinates(corner, (10, 20), spacing=(4.0, 1.0))
    torch.testing.assert_close(found, torch.tensor([[1.0, 0.5]]))


@pytest.mark.parametrize("side", [64, 512])
def test_the_first_layer_has_the_same_period_in_pixels_at_every_size(side: int) -> None:
    omega = first_layer_omega(27.0, (side, side // 2))
    change = omega * 0.5 * 2 / side  # largest weight 1/2, coordinates 2 / side a pixel
    assert 2 * math.pi / change == pytest.approx(27.0)
