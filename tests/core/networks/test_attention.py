from __future__ import annotations

import pytest
import torch
from torch import Tensor

from napari_inr_denoise.core.networks.attention import AttentionNetwork

SIDE = 21
PLACES = [(0, 0), (0, 20), (20, 20), (0, 9), (11, 0), (10, 10), (9, 11), (20, 7)]


def _network(samples: int = 1, context: int = 0) -> AttentionNetwork:
    start = torch.Generator().manual_seed(0)
    return AttentionNetwork(samples, 8, context, start)


def _context_slices(samples: int, context: int) -> Tensor:
    start = torch.Generator().manual_seed(3)
    planes = torch.randn(1, context, samples + 1, SIDE, SIDE, generator=start)
    planes[:, :, -1] = 1
    return planes.flatten(1, 2)


def _planes(samples: int = 1) -> tuple[Tensor, Tensor, Tensor]:
    start = torch.Generator().manual_seed(1)
    linear = torch.randn(1, samples, SIDE, SIDE, generator=start)
    return linear, torch.sinh(linear), torch.ones(1, 1, SIDE, SIDE)


def _some(counts: Tensor) -> Tensor:
    chance = torch.rand(counts.shape, generator=torch.Generator().manual_seed(2))
    return (chance < 0.8).float()


@torch.no_grad()
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("context", [0, 2])
def test_a_pixel_is_not_seen_by_its_own_prediction(
    place: tuple[int, int], samples: int, gaps: bool, context: int
) -> None:
    """Not one bit of it, however many layers there are between."""
    row, column = place
    linear, stabilized, counts = _planes(samples)
    if gaps:
        counts = _some(counts)
        counts[..., row, column] = 1
    network, slices = _network(samples, context), _context_slices(samples, context)
    before = network(linear, stabilized, counts, slices)
    for planes in (linear, stabilized):
        planes[..., row, column] += 100
    after = network(linear, stabilized, counts, slices)
    for old, new in zip(before, after, strict=True):
        assert torch.equal(old[..., row, column], new[..., row, column])
        next_to = column + 1 if column + 1 < SIDE else column - 1
        assert not torch.equal(old[..., row, next_to], new[..., row, next_to])


@torch.no_grad()
@pytest.mark.parametrize("plane", [0, 1])
def test_planes_beside_are_seen_at_the_pixels_own_place(plane: int) -> None:
    inputs, slices = _planes(), _context_slices(1, 2)
    network = _network(1, 2)
    before, _ = network(*inputs, slices)
    slices[:, 2 * plane, 10, 10] += 10
    after, _ = network(*inputs, slices)
    assert not torch.equal(before[..., 10, 10], after[..., 10, 10])


@torch.no_grad()
def test_a_plane_that_is_not_there_never_matters() -> None:
    inputs, slices = _planes(), _context_slices(1, 2)
    slices[:, 2:] = 0
    network = _network(1, 2)
    before, _ = network(*inputs, slices)
    assert network.context is not None
    network.context.weight[:, 1] += 1
    after, _ = network(*inputs, slices)
    assert torch.equal(before, after)


@torch.no_grad()
def test_it_sees_far() -> None:
    """Eight pixels along, through the layers that connect every third."""
    linear, stabilized, counts = _planes()
    network = _network()
    before, _ = network(linear, stabilized, counts, _context_slices(1, 0))
    for planes in (linear, stabilized):
        planes[..., 10, 2] += 10
    after, _ = network(linear, stabilized, counts, _context_slices(1, 0))
    assert not torch.equal(before[..., 10, 10], after[..., 10, 10])


@torch.no_grad()
@pytest.mark.parametrize("samples", [1, 2])
def test_values_that_do_not_count_never_matter(samples: int) -> None:
    linear, stabilized, counts = _planes(samples)
    counts = _some(counts)
    network = _network(samples)
    answers = []
    for bad in (0.0, 1e6):
        planes = [torch.where(counts > 0, one, bad) for one in (linear, stabilized)]
        answers.append(network(*planes, counts, _context_slices(samples, 0)))
    for one, other in zip(*answers, strict=True):
        assert torch.equal(one, other)


@torch.no_grad()
def test_the_gain_is_a_share() -> None:
    predicted, gain = _network(2)(*_planes(2), _context_slices(2, 0))
    assert predicted.shape == gain.shape == (1, 2, SIDE, SIDE)
    assert ((gain > 0) & (gain < 1)).all()


@torch.no_grad()
def test_nothing_that_counts_is_no_error() -> None:
    linear, stabilized, counts = _planes()
    predicted, gain = _network()(
        linear, stabilized, torch.zeros_like(counts), _context_slices(1, 0)
    )
    assert torch.isfinite(predicted).all()
    assert torch.isfinite(gain).all()
