"""The schedule of networks with a blind spot."""

from __future__ import annotations

import pytest
import torch

from napari_inr_denoise.core.candidates.base import evaluation_steps
from napari_inr_denoise.core.compute.optimizer import one_cycle


@pytest.mark.parametrize("steps", [1, 2, 8, 10, 97, 600])
def test_its_rates_are_those_of_one_cycle(steps: int) -> None:
    adam = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        adam, 3e-3, total_steps=steps + 1, pct_start=0.1
    )
    for done in range(steps):
        (group,) = adam.param_groups
        assert one_cycle(done, steps, 3e-3) == (group["lr"], group["betas"][0])
        adam.step()
        schedule.step()


def test_a_few_steps_have_rates_too() -> None:
    """Where torch's divides by zero: one step is all of the first tenth."""
    rates = [one_cycle(done, 9, 3e-3)[0] for done in range(9)]
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] < rates[0] == 3e-3


def test_the_first_state_is_looked_at_and_then_every_so_often() -> None:
    assert evaluation_steps(90) == {0}
    assert sorted(evaluation_steps(400)) == [0, 100, 250]
