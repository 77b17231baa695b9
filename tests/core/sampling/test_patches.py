from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_inr_denoise.core.sampling.coordinates import pixel_coordinates
from napari_inr_denoise.core.sampling.patches import PatchGrid


def _grid(samples: int, height: int, width: int, side: int) -> PatchGrid:
    plane = torch.arange(samples * height * width, dtype=torch.float32)
    plane = plane.view(samples, height, width)
    return PatchGrid(plane, torch.ones(height, width, dtype=torch.bool), side, (1, 1))


@settings(max_examples=60, deadline=None)
@given(
    samples=st.integers(1, 3),
    height=st.integers(1, 13),
    width=st.integers(1, 13),
    side=st.integers(1, 5),
    data=st.data(),
)
def test_rendering_a_function_of_the_position_gives_that_function(
    samples: int, height: int, width: int, side: int, data: st.DataObject
) -> None:
    """A network that predicts a plane of known slope must render that very plane."""
    stride = data.draw(st.integers(1, side))
    grid = _grid(samples, height, width, side)
    pixel = 2 / max(height, width)
    offsets = (torch.arange(side) - (side - 1) / 2) * pixel

    def predict(at: torch.Tensor) -> torch.Tensor:
        y = at[:, 0, None, None] + offsets[None, :, None]
        x = at[:, 1, None, None] + offsets[None, None, :]
        patch = 3 * y + 5 * x
        weights = torch.arange(1, samples + 1)[None, :, None, None]
        return (patch[:, None] * weights).reshape(len(at), -1)

    rows, columns = torch.meshgrid(
        torch.arange(height), torch.arange(width), indexing="ij"
    )
    at = pixel_coordinates(
        torch.stack([rows, columns], -1).view(-1, 2), (height, width)
    )
    one = (3 * at[:, 0] + 5 * at[:, 1]).view(height, width)
    wanted = torch.stack([one * k for k in range(1, samples + 1)])
    torch.testing.assert_close(grid.render(predict, stride), wanted, atol=1e-4, rtol=0)


def test_drawn_patches_match_the_plane_and_its_edge() -> None:
    grid = _grid(1, 3, 2, side=2)
    generator = torch.Generator().manual_seed(0)
    coordinates, targets, weights = grid.draw(500, generator)
    assert targets.shape == (500, 1, 2, 2)
    assert weights.shape == (500, 1, 2, 2)
    # Pixel centres of a patch around its coordinate, in pixels.
    first_row = (coordinates[:, 0] * 3 / 2 + 3 / 2 - 1).round().long()
    first_column = (coordinates[:, 1] * 3 / 2 + 2 / 2 - 1).round().long()
    for k in range(500):
        for i in range(2):
            for j in range(2):
                y, x = first_row[k] + i, first_column[k] + j
                inside = bool(0 <= y < 3 and 0 <= x < 2)
                assert weights[k, 0, i, j] == inside
                assert targets[k, 0, i, j] == (2 * y + x if inside else 0)


def test_invalid_pixels_weigh_nothing() -> None:
    valid = torch.tensor([[True, False], [True, True]])
    grid = PatchGrid(torch.ones(1, 2, 2), valid, 1, (1.0, 1.0))
    _, _, weights = grid.draw(400, torch.Generator().manual_seed(0))
    assert weights.mean().item() == pytest.approx(0.75, abs=0.08)
