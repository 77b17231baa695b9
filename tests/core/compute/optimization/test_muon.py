"""Muon learns all directions at once; its steps are short where gradients are noise."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
from torch import Tensor, nn

from napari_inr_denoise.core.compute.cuda_graphs import Recorder
from napari_inr_denoise.core.compute.optimization.adamw import Group
from napari_inr_denoise.core.compute.optimization.gradient import Loss
from napari_inr_denoise.core.compute.optimization.muon import Muon
from napari_inr_denoise.core.compute.optimization.optimizer import (
    AveragingOptimizer,
    _OnCpu,
    _OnDevice,
)

_RATE = 1e-3


def _group(weights: list[Tensor], decay: float = 10.0) -> Group:
    return {"params": weights, "weight_decay": decay}


def _matrix(rows: int, columns: int, condition: float) -> Tensor:
    """Return a matrix whose largest singular value is `condition` times its least."""
    start = torch.Generator().manual_seed(rows)
    left, _, right = torch.linalg.svd(
        torch.randn(rows, columns, generator=start), full_matrices=False
    )
    return left * torch.linspace(condition, 1.0, left.shape[1]) @ right


@pytest.mark.parametrize("shape", [(8, 20), (20, 8), (9, 9)])
def test_a_step_goes_as_far_along_all_directions(shape: tuple[int, int]) -> None:
    gradient = 1e-3 * _matrix(*shape, condition=100.0)
    weight = torch.zeros(shape)
    Muon(_group([weight])).step([gradient], _RATE)
    moved, wanted = torch.linalg.svdvals(weight), torch.linalg.svdvals(gradient)
    assert wanted.max() > 50 * wanted.min()
    assert moved.max() < 2 * moved.min()
    # Down the gradient, by eight times what AdamW moves each weight.
    assert (weight * gradient).sum() < 0
    assert float(weight.square().mean().sqrt()) == pytest.approx(8 * _RATE, rel=0.2)


def test_steps_are_short_where_gradients_are_noise() -> None:
    moved = {}
    drawn = torch.Generator().manual_seed(0)
    signal = _matrix(12, 16, condition=10.0)
    for share in (0.0, 1.0):
        weight = torch.zeros(12, 16)
        muon = Muon(_group([weight]))
        for _ in range(50):  # of full length
            noise = torch.randn(12, 16, generator=drawn)
            weight.zero_()  # so that nothing decays
            muon.step([share * signal + (1 - share) * noise], _RATE)
        moved[share] = float(weight.norm())
    # The mean of ten steps of noise has 0.23 of their size.
    assert moved[0.0] == pytest.approx(0.23 * 8 * _RATE * (12 * 16) ** 0.5, rel=0.3)
    assert moved[0.0] < 0.4 * moved[1.0]


@pytest.mark.parametrize("value", [0.0, 1e-30, 1e15])
def test_gradients_of_any_size_give_finite_steps(value: float) -> None:
    weight = torch.ones(4, 6)
    Muon(_group([weight])).step([torch.full((4, 6), value)], _RATE)
    assert torch.isfinite(weight).all()


def _network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 1))


def _loss(network: nn.Module, values: Tensor) -> Tensor:
    return (network(values) - values[:, :1]).square().mean()


def test_steps_in_tensors_of_a_device_are_those_of_the_cpu() -> None:
    values = torch.randn(64, 5, generator=torch.Generator().manual_seed(1))
    found = []
    for on_device in (False, True):
        network = _network()
        matrices = [network[0].weight]
        others = [one for one in network.parameters() if one is not matrices[0]]
        groups, moved = [_group(others, 0.1)], _group(matrices)
        recorder = Recorder(None, torch.device("cpu"))
        steps = (
            _OnDevice(groups, moved, recorder)
            if on_device
            else _OnCpu(network, groups, moved)
        )
        for _ in range(5):
            steps.step([Loss(partial(_loss, network), (values,))], 1e-2)
        found.append([one.detach() for one in network.parameters()])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_a_recording_changes_what_it_says_alone() -> None:
    """A replay repeats a step on these tensors alone."""
    weight, gradient = torch.randn(4, 6), torch.randn(4, 6)
    muon = Muon(_group([weight]))
    for _ in range(3):
        muon.step([gradient], torch.tensor(_RATE))
    saved = [one.clone() for one in muon.state]
    muon.step([gradient], torch.tensor(_RATE))
    after = weight.clone()
    for one, before in zip(muon.state, saved, strict=True):
        one.copy_(before)
    muon.step([gradient], torch.tensor(_RATE))
    torch.testing.assert_close(weight, after, rtol=0, atol=0)


def test_without_matrices_nothing_is_recorded_that_a_replay_would_not_change() -> None:
    """A tensor on the host among those of a GPU would differ after a replay."""
    muon = Muon(_group([]))
    muon.step([], torch.tensor(_RATE))
    assert muon.state == []


def test_the_optimizer_leaves_no_weight_out() -> None:
    network = _network()
    before = copy.deepcopy(network)
    values = torch.randn(64, 5, generator=torch.Generator().manual_seed(1))
    optimizer = AveragingOptimizer(network, 1e-2, _group([network[0].weight]))
    for _ in range(3):
        optimizer.step([Loss(partial(_loss, network), (values,))])
    for one, start in zip(network.parameters(), before.parameters(), strict=True):
        assert not torch.equal(one, start)
