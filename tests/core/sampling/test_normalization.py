from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_inr_denoise.core.noise.level.level_function import NoiseLevelFunction
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.sampling.normalization import (
    CommonScale,
    PlaneScale,
    VarianceTable,
    robust_range,
)

CPU = torch.device("cpu")
LINE = NoiseLevelFunction(2.0, 10.0, (0.0, 200.0, 400.0), (10.0, 410.0, 810.0))


def _problem(rng: np.random.Generator, factor: float = 1.0) -> NoisyPlane:
    plane = factor * rng.uniform(0, 150, (20, 30, 2))
    whole = np.ones((20, 30), bool)
    sigma = factor * 12.0
    noise = NoiseModel(sigma, correlated=False, sigma_neighbours=sigma)
    return NoisyPlane(plane, whole, whole, noise, curves=(LINE, LINE))


def test_one_hot_pixel_does_not_squeeze_the_rest() -> None:
    values = np.linspace(100, 200, 10_000)
    values[5] = 1e9
    offset, scale = robust_range(values)
    assert offset == pytest.approx(150, rel=0.01)
    assert scale == pytest.approx(50, rel=0.01)


def test_values_that_are_all_the_same_have_a_scale_of_one() -> None:
    assert robust_range(np.full(50, 7.0)) == (7.0, 1.0)


def test_a_few_values_among_many_that_are_the_same_are_the_range() -> None:
    values = np.zeros(100_000)
    values[:3] = 10.0
    assert robust_range(values) == (5.0, 5.0)


def test_the_way_back_is_the_plane(rng: np.random.Generator) -> None:
    problem = _problem(rng)
    scale = PlaneScale(problem, CPU)
    assert scale.linear_syx.shape == (2, 20, 30)
    assert abs(scale.linear_syx.mean().item()) < 1e-5
    assert scale.linear_syx.std().item() == pytest.approx(1, rel=0.05)
    back = scale.to_intensities(scale.linear_syx.movedim(0, -1))
    np.testing.assert_allclose(back, problem.plane_yxs, rtol=1e-4, atol=1e-4)


def test_the_table_gives_the_variance_in_the_networks_scale(
    rng: np.random.Generator,
) -> None:
    problem = _problem(rng)
    scale, common = PlaneScale(problem, CPU), CommonScale.of([problem])
    rows = scale.linear_syx.flatten(1).t()[None]
    found = scale.variances.at(rows)[0].numpy() * common.scale**2
    wanted = problem.variance(problem.plane_yxs).reshape(-1, 2)
    np.testing.assert_allclose(found, wanted, rtol=0.01)


def test_tables_of_several_planes_answer_each_for_its_own(
    rng: np.random.Generator,
) -> None:
    problems = [_problem(rng), _problem(rng, 0.5)]
    common = CommonScale.of(problems)
    tables = [PlaneScale(one, CPU, common).variances for one in problems]
    values = torch.linspace(-0.3, 0.3, 5).view(1, 5, 1).expand(2, 5, 2)
    both = VarianceTable.of(tables).at(values)
    for k, table in enumerate(tables):
        torch.testing.assert_close(both[k], table.at(values[:1])[0])


def test_a_fit_that_broke_down_is_no_error(rng: np.random.Generator) -> None:
    table = PlaneScale(_problem(rng), CPU).variances
    broken = torch.full((1, 3, 2), float("nan"))
    assert torch.isfinite(table.at(broken)).all()


def test_all_planes_noise_weighs_alike(rng: np.random.Generator) -> None:
    quiet, loud = _problem(rng), _problem(rng, 3.0)
    common = CommonScale.of([quiet, loud])
    weighed = [common.weight(one) * one.noise.sigma**2 for one in (quiet, loud)]
    assert weighed[0] == pytest.approx(weighed[1])
