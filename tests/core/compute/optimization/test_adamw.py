"""AdamW takes the steps of torch's own."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from napari_inr_denoise.core.compute.optimization.adamw import AdamWOnCpu, AdamWOnDevice


def _weights() -> list[nn.Parameter]:
    start = torch.Generator().manual_seed(1)
    shapes = (5, 3), (5,), (2, 5)
    return [nn.Parameter(torch.randn(*shape, generator=start)) for shape in shapes]


def _groups(weights: list[nn.Parameter]) -> list[dict[str, object]]:
    return [
        {"params": weights[:1], "weight_decay": 3.0},
        {"params": weights[1:], "weight_decay": 0.0},
    ]


def _gradients(step: int) -> list[Tensor]:
    drawn = torch.Generator().manual_seed(step)
    sizes = torch.tensor([1.0, 1e-3, 1e3])
    return [
        size * torch.randn(*one.shape, generator=drawn)
        for one, size in zip(_weights(), sizes, strict=True)
    ]


@pytest.mark.parametrize("on_device", [False, True])
def test_its_steps_are_those_of_torch(on_device: bool) -> None:
    mine, theirs = _weights(), _weights()
    adam = torch.optim.AdamW(_groups(theirs), lr=1e-2, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 1e-2, total_steps=41)
    gradients = [torch.zeros_like(one) for one in mine]
    on_cpu, elsewhere = (
        AdamWOnCpu(_groups(mine)),
        AdamWOnDevice(_groups(mine), gradients),
    )
    for step in range(40):
        (group, _) = adam.param_groups
        rates = group["lr"], group["betas"][0]
        for k, gradient in enumerate(_gradients(step)):
            gradients[k].copy_(gradient)
            mine[k].grad = theirs[k].grad = gradient
        if on_device:
            elsewhere.set_rates(*rates)
            elsewhere.step()
        else:
            on_cpu.step(*rates)
        adam.step()
        schedule.step()
        for one, other in zip(mine, theirs, strict=True):
            if on_device:
                torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
            else:
                assert torch.equal(one, other)


def test_a_first_fit_does_not_wait_for_the_compiler_of_torch() -> None:
    program = (
        "import sys, torch\n"
        "from napari_inr_denoise.core.compute.optimization.adamw import AdamWOnCpu\n"
        "weights = [torch.zeros(2, requires_grad=True)]\n"
        "weights[0].grad = torch.ones(2)\n"
        "AdamWOnCpu([{'params': weights, 'weight_decay': 0.0}]).step(1e-3, 0.9)\n"
        "assert 'torch._dynamo' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_all_that_a_step_changes_is_in_its_state() -> None:
    weights = _weights()
    own = AdamWOnDevice(_groups(weights), _gradients(0))
    own.set_rates(1e-2, 0.9)
    own.step()
    before = [one.detach().clone() for one in own.state]
    own.step()
    once = [one.detach().clone() for one in own.state]
    with torch.no_grad():
        for one, value in zip(own.state, before, strict=True):
            one.copy_(value)
    own.step()
    for one, value in zip(own.state, once, strict=True):
        assert torch.equal(one, value)
