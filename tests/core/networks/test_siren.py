from __future__ import annotations

import math

import pytest
import torch

from napari_inr_denoise.core.networks.siren import SineLayers, Siren

OMEGA, WIDTH = 20.0, 256


def _network(seed: int = 0) -> Siren:
    sines = SineLayers(width=WIDTH, depth=3, omega=OMEGA, first_omega=60.0)
    return Siren(2, 3, sines, torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_the_weights_are_drawn_as_sitzmann_et_al_do() -> None:
    first, *others = _network().linear_layers()
    assert first.weight.abs().max().item() == pytest.approx(1 / 2, rel=0.05)
    bound = math.sqrt(6 / WIDTH) / OMEGA
    for layer in others:
        assert layer.weight.abs().max().item() == pytest.approx(bound, rel=0.05)


@torch.no_grad()
def test_every_sine_layer_has_a_spread_of_one_over_root_two() -> None:
    """What the start is made for: as in a sine of a phase that is everywhere alike."""
    places = 2 * torch.rand(4096, 2, generator=torch.Generator().manual_seed(1)) - 1
    first, *sines, _ = _network().linear_layers()
    values = torch.sin(60.0 * first(places))
    for layer in sines:
        values = torch.sin(OMEGA * layer(values))
        assert values.std().item() == pytest.approx(math.sqrt(0.5), abs=0.07)


def test_a_seed_decides_the_start() -> None:
    one, again, other = (_network(seed) for seed in (0, 0, 1))
    pairs = zip(one.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    assert not any(torch.equal(a, b) for a, b in pairs)


@torch.no_grad()
def test_it_starts_from_the_mean_that_is_set() -> None:
    network, places = _network(), torch.zeros(1, 2)
    network.set_output_bias(torch.zeros(3))
    before = network(places)
    network.set_output_bias(torch.tensor([1.0, 2.0, 3.0]))
    off = network(places) - before
    torch.testing.assert_close(off, torch.tensor([[1.0, 2.0, 3.0]]))
