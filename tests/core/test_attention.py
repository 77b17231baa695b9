from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_inr_denoise.core.candidate import Candidate
from napari_inr_denoise.core.fit_attention import (
    _padded,
    attention_steps,
)
from napari_inr_denoise.core.networks.attention import PHASES, AttentionNetwork
from napari_inr_denoise.core.noise import NoiseModel
from napari_inr_denoise.core.outcome import Outcome
from napari_inr_denoise.core.problem import FitProblem
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.core.stopping import StopReason

CPU = torch.device("cpu")
SMALL = preset_settings(
    "auto", attention_steps=20, attention_width=8, attention_batch=1, device="cpu"
)
SIDE = 21
PLACES = [(0, 0), (0, 20), (20, 20), (0, 9), (11, 0), (10, 10), (9, 11), (20, 7)]


def _network(samples: int = 1, context: int = 0) -> AttentionNetwork:
    start = torch.Generator().manual_seed(0)
    return AttentionNetwork(samples, 8, context, start)


def _beside(samples: int, context: int) -> Tensor:
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
    linear, stabilised, counts = _planes(samples)
    if gaps:
        counts = _some(counts)
        counts[..., row, column] = 1
    network, beside = _network(samples, context), _beside(samples, context)
    before = network(linear, stabilised, counts, beside)
    for planes in (linear, stabilised):
        planes[..., row, column] += 100
    after = network(linear, stabilised, counts, beside)
    for old, new in zip(before, after, strict=True):
        assert torch.equal(old[..., row, column], new[..., row, column])
        next_to = column + 1 if column + 1 < SIDE else column - 1
        assert not torch.equal(old[..., row, next_to], new[..., row, next_to])


@torch.no_grad()
@pytest.mark.parametrize("plane", [0, 1])
def test_planes_beside_are_seen_at_the_pixels_own_place(plane: int) -> None:
    inputs, beside = _planes(), _beside(1, 2)
    network = _network(1, 2)
    before, _ = network(*inputs, beside)
    beside[:, 2 * plane, 10, 10] += 10
    after, _ = network(*inputs, beside)
    assert not torch.equal(before[..., 10, 10], after[..., 10, 10])


@torch.no_grad()
def test_a_plane_that_is_not_there_never_matters() -> None:
    inputs, beside = _planes(), _beside(1, 2)
    beside[:, 2:] = 0
    network = _network(1, 2)
    before, _ = network(*inputs, beside)
    assert network.beside is not None
    network.beside.weight[:, 1] += 1
    after, _ = network(*inputs, beside)
    assert torch.equal(before, after)


@torch.no_grad()
def test_it_sees_far() -> None:
    """Eight pixels along, through the layers that connect every third."""
    linear, stabilised, counts = _planes()
    network = _network()
    before, _ = network(linear, stabilised, counts, _beside(1, 0))
    for planes in (linear, stabilised):
        planes[..., 10, 2] += 10
    after, _ = network(linear, stabilised, counts, _beside(1, 0))
    assert not torch.equal(before[..., 10, 10], after[..., 10, 10])


@torch.no_grad()
@pytest.mark.parametrize("samples", [1, 2])
def test_values_that_do_not_count_never_matter(samples: int) -> None:
    linear, stabilised, counts = _planes(samples)
    counts = _some(counts)
    network = _network(samples)
    answers = []
    for bad in (0.0, 1e6):
        planes = [torch.where(counts > 0, one, bad) for one in (linear, stabilised)]
        answers.append(network(*planes, counts, _beside(samples, 0)))
    for one, other in zip(*answers, strict=True):
        assert torch.equal(one, other)


@torch.no_grad()
def test_the_gain_is_a_share() -> None:
    predicted, gain = _network(2)(*_planes(2), _beside(2, 0))
    assert predicted.shape == gain.shape == (1, 2, SIDE, SIDE)
    assert ((gain > 0) & (gain < 1)).all()


@torch.no_grad()
def test_nothing_that_counts_is_no_error() -> None:
    linear, stabilised, counts = _planes()
    predicted, gain = _network()(
        linear, stabilised, torch.zeros_like(counts), _beside(1, 0)
    )
    assert torch.isfinite(predicted).all()
    assert torch.isfinite(gain).all()


@pytest.mark.parametrize(
    ("shape", "least", "wanted"),
    [((5, 7), 3, (6, 9)), ((6, 9), 3, (6, 9)), ((5, 130), 96, (96, 132))],
)
def test_planes_are_padded_to_whole_phases(
    shape: tuple[int, int], least: int, wanted: tuple[int, int]
) -> None:
    padded = _padded(torch.ones(2, *shape), least)
    assert padded.shape == (2, *wanted)
    assert all(size % PHASES == 0 for size in wanted)
    assert padded.sum() == 2 * shape[0] * shape[1]


def _problem(
    rng: np.random.Generator, shape: tuple[int, int] = (50, 50)
) -> tuple[FitProblem, np.ndarray]:
    y, x = np.mgrid[: shape[0], : shape[1]] / max(shape)
    truth = (200 + 80 * np.sin(6 * x + 3 * y))[..., None]
    whole = np.ones(shape, bool)
    noisy = truth + rng.normal(0, 20, truth.shape)
    return FitProblem(noisy, whole, whole, NoiseModel(20.0, False, 20.0)), truth


def _fit(
    problem: FitProblem, targets: np.ndarray | None = None, **changes: float
) -> Candidate:
    trained = problem.fitted_yx if targets is None else targets
    steps = attention_steps(problem, trained, replace(SMALL, **changes), CPU)
    run = Outcome(steps)
    seen = [training.step for training in run]
    assert seen == sorted(seen)
    assert seen[0] == 0
    return run.result


@pytest.mark.parametrize("shape", [(50, 50), (4, 110)])
def test_it_denoises_planes_of_any_shape(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    problem, truth = _problem(rng, shape)
    candidate = _fit(problem)
    error = np.sqrt(np.mean((candidate.plane_yxs - truth) ** 2))
    assert error < 12
    assert candidate.name == "attention"
    assert candidate.steps == 20
    assert candidate.reason is StopReason.TRAINED
    assert candidate.own_share_yxs.shape == truth.shape
    assert ((candidate.own_share_yxs > 0) & (candidate.own_share_yxs < 1)).all()


def test_the_mean_over_the_turns_turns_with_the_plane(rng: np.random.Generator) -> None:
    """With next to no training nothing but the turns is random."""
    problem, _ = _problem(rng)
    still = {"attention_rate": 1e-8, "attention_steps": 1}
    turned = replace(problem, plane_yxs=problem.plane_yxs.swapaxes(0, 1).copy())
    found = _fit(turned, **still).plane_yxs.swapaxes(0, 1)
    np.testing.assert_allclose(found, _fit(problem, **still).plane_yxs, rtol=1e-4)


def test_pixels_that_are_not_fitted_are_filled_in(rng: np.random.Generator) -> None:
    problem, truth = _problem(rng)
    fitted = problem.fitted_yx.copy()
    fitted[20:22, 30:32] = False
    answers = []
    for bad in (0.0, 1e6):
        plane = np.where(fitted[..., None], problem.plane_yxs, bad)
        answers.append(_fit(replace(problem, plane_yxs=plane, fitted_yx=fitted)))
    np.testing.assert_array_equal(answers[0].plane_yxs, answers[1].plane_yxs)
    assert np.abs((answers[0].plane_yxs - truth)[~fitted]).max() < 30
    assert (answers[0].own_share_yxs[~fitted] == 0).all()


def test_the_same_seed_gives_the_same_bytes(rng: np.random.Generator) -> None:
    problem, _ = _problem(rng)
    first, second = (_fit(problem).plane_yxs for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != _fit(problem, seed=1).plane_yxs.tobytes()
