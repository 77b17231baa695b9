from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.sampling.context import context_planes, local_levels
from napari_inr_denoise.core.sampling.normalization import CommonScale

CPU = torch.device("cpu")


def _problem(plane: np.ndarray) -> NoisyPlane:
    whole = np.ones(plane.shape, bool)
    noise = NoiseModel(1.0, correlated=False, sigma_neighbours=1.0)
    return NoisyPlane(plane[..., None], whole, whole, noise)


def _waves() -> np.ndarray:
    y, x = np.mgrid[:40, :48]
    return 100 + 30 * np.sin(x / 3) * np.cos(y / 4)


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_a_dimmer_or_brighter_plane_is_made_as_bright(factor: float) -> None:
    own, other = _problem(_waves()), _problem(factor * _waves() + 50)
    common = CommonScale.of([own])
    (found,) = context_planes(own, [other], common, CPU)
    wanted = common.stabilized_syx(own, CPU)
    assert (found[:-1] - wanted).abs().max() < 0.05
    assert (found[-1] == 1).all()


def test_where_there_is_no_plane_nothing_counts() -> None:
    own = _problem(_waves())
    common = CommonScale.of([own])
    found = context_planes(own, [None, own], common, CPU)
    assert not found[0].any()
    assert found[1].any()
    assert context_planes(own, [], common, CPU) == []


@pytest.mark.parametrize("blind_radius", [0, 2])
def test_a_level_holds_not_one_bit_of_the_hole(blind_radius: int) -> None:
    planes = torch.randn(2, 15, 15, generator=torch.Generator().manual_seed(0))
    planes[-1] = 1
    before = local_levels(planes, 1.5, 5, blind_radius)
    inside = slice(7 - blind_radius, 8 + blind_radius)
    planes[0, inside, inside] += 1000
    after = local_levels(planes, 1.5, 5, blind_radius)
    centre = 7 * 15 + 7
    assert torch.equal(before[centre], after[centre])
    assert not torch.equal(
        before[centre + blind_radius + 1], after[centre + blind_radius + 1]
    )


def test_a_level_is_the_weighted_mean_of_what_counts() -> None:
    planes = torch.ones(2, 9, 9)
    planes[0] = 4.0
    planes[:, 3:6] = 0  # does not count
    torch.testing.assert_close(local_levels(planes, 2.0, 4), torch.full((81, 1), 4.0))
