from __future__ import annotations

import pytest
import torch

from napari_inr_denoise.core.compute.optimization.weight_averaging import (
    WeightAverage,
    constant_horizon,
    growing_horizon,
    selective_decay,
)
from napari_inr_denoise.core.networks.siren import SineLayers, Siren


def _network(depth: int = 3) -> Siren:
    sines = SineLayers(width=8, depth=depth, omega=20.0, first_omega=60.0)
    return Siren(2, 4, sines, torch.Generator().manual_seed(0))


def test_decay_reaches_the_last_two_layers_only() -> None:
    """With a zero gradient AdamW's step is the decay alone."""
    network = _network()
    before = [weight.clone() for weight in network.parameters()]
    groups = selective_decay(network.linear_layers(), 2, weight_decay=5.0)
    optimiser = torch.optim.AdamW(groups, lr=1e-2)
    for weight in network.parameters():
        weight.grad = torch.zeros_like(weight)
    optimiser.step()
    layers = network.linear_layers()
    decayed = {id(layers[-1].weight), id(layers[-2].weight)}
    for old, new in zip(before, network.parameters(), strict=True):
        factor = 1 - 1e-2 * 5.0 if id(new) in decayed else 1.0
        torch.testing.assert_close(new.data, old * factor)


@pytest.mark.parametrize("decay_layers", [0, 1, 2, 9])
def test_every_parameter_is_optimised_once(decay_layers: int) -> None:
    network = _network()
    groups = selective_decay(network.linear_layers(), decay_layers, 1.0)
    grouped = [id(weight) for group in groups for weight in group["params"]]
    assert sorted(grouped) == sorted(id(weight) for weight in network.parameters())


def test_the_average_follows_is_applied_and_restored() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(0.0)
    average = WeightAverage(network, constant_horizon(0.9))
    history = []
    for value in range(1, 200):
        network.weight.data.fill_(float(value))
        average.update()
        history.append(value)
    average.apply()
    average.apply()  # a second call changes nothing
    applied = network.weight.item()
    average.restore()
    assert network.weight.item() == 199.0
    # A ramp's average with decay 0.9 lags by 0.9 / (1 - 0.9) = 9 steps.
    assert applied == pytest.approx(190.0, abs=0.1)


def test_the_first_update_forgets_most_of_the_start() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(100.0)
    average = WeightAverage(network, constant_horizon(0.999))
    network.weight.data.fill_(0.0)
    average.update()
    average.apply()
    assert network.weight.item() == pytest.approx(10.0)


def test_updating_an_applied_average_is_a_mistake() -> None:
    network = torch.nn.Linear(1, 1)
    average = WeightAverage(network, constant_horizon(0.5))
    average.apply()
    with pytest.raises(RuntimeError, match="restore"):
        average.update()


def test_register_starts_anew() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    average = WeightAverage(network, constant_horizon(0.5))
    network.weight.data.fill_(3.0)
    average.register(network)
    average.apply()
    assert network.weight.item() == 3.0


def test_a_growing_horizon_averages_a_share_of_the_updates() -> None:
    """The weights are the number of the update: the average follows at a distance."""
    network = torch.nn.Linear(1, 1, bias=False)
    average = WeightAverage(network, growing_horizon(0.25))
    for update in range(1, 201):
        network.weight.data.fill_(float(update))
        average.update()
    average.apply()
    # For averages over a share s of the updates the distance is s / (1 + s).
    assert network.weight.item() == pytest.approx(200 / 1.25, rel=0.02)


def test_a_growing_horizon_forgets_the_initial_weights() -> None:
    network = torch.nn.Linear(1, 1, bias=False)
    network.weight.data.fill_(1e6)
    average = WeightAverage(network, growing_horizon(0.3))
    network.weight.data.fill_(2.0)
    average.update()
    average.apply()
    assert network.weight.item() == 2.0
