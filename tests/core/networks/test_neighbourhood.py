from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_inr_denoise.core.networks.neighbourhood import Neighbourhood
from napari_inr_denoise.core.sampling.blind_spot_windows import Neighbours, WindowRadii

SIDE = 13


def _network(inputs: int, samples: int = 1, blurs: int = 1) -> Neighbourhood:
    start = torch.Generator().manual_seed(0)
    return Neighbourhood(
        inputs, samples, width=16, depth=2, blurs=blurs, generator=start
    )


@torch.no_grad()
def _predicted(plane: Tensor, blind_radius: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return prediction, gain and mix of all pixels of an untrained network."""
    counts = torch.ones(plane.shape[1:], dtype=torch.bool)
    radii = WindowRadii(4 + blind_radius, blind_radius)
    neighbours = Neighbours(plane, torch.sinh(plane / 9), counts, radii)
    network = _network(neighbours.values, len(plane), blurs=3 if blind_radius else 1)
    seen = neighbours.around(torch.arange(counts.numel()))
    offset, gain, mix = network(seen.features, neighbours.oriented_columns[0])
    return seen.level + offset, gain, mix


@pytest.mark.parametrize("place", [(0, 0), (0, 12), (12, 12), (0, 5), (7, 0), (6, 6)])
@pytest.mark.parametrize(("blind_radius", "samples"), [(0, 1), (0, 3), (3, 1)])
def test_a_pixel_is_not_seen_by_its_own_prediction(
    place: tuple[int, int], blind_radius: int, samples: int
) -> None:
    """Nor is any pixel in the blind spot around it; those just outside are."""
    start = torch.Generator().manual_seed(1)
    plane = torch.randn(samples, SIDE, SIDE, generator=start)
    before = _predicted(plane, blind_radius)
    plane[:, place[0], place[1]] += 7
    after = _predicted(plane, blind_radius)
    y, x = np.mgrid[:SIDE, :SIDE]
    far = np.maximum(abs(y - place[0]), abs(x - place[1])).flatten()
    blind = torch.from_numpy(far <= blind_radius)
    for old, new in zip(before, after, strict=True):
        assert torch.equal(old[blind], new[blind])
    next_to = torch.from_numpy(far == blind_radius + 1)
    assert (before[0][next_to] != after[0][next_to]).any(dim=1).all()


def test_the_gain_is_a_share_and_the_mix_sums_to_one() -> None:
    features = torch.randn(50, 30, generator=torch.Generator().manual_seed(0))
    offset, gain, mix = _network(30, 2, blurs=3)(features, torch.arange(30))
    assert offset.shape == gain.shape == (50, 2)
    assert mix.shape == (50, 2, 3)
    assert ((gain > 0) & (gain < 1)).all()
    torch.testing.assert_close(mix.sum(dim=-1), torch.ones(50, 2))


def test_reordered_columns_are_reordered_features() -> None:
    start = torch.Generator().manual_seed(0)
    features, order = torch.randn(20, 30, generator=start), torch.randperm(30)
    network = _network(30)
    moved = torch.empty_like(features)
    moved[:, order] = features
    for one, other in zip(
        network(features, order), network(moved, torch.arange(30)), strict=True
    ):
        torch.testing.assert_close(one, other)
