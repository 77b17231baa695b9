from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_inr_denoise.core.candidate import Candidate
from napari_inr_denoise.core.fit_neighbourhood import (
    _MOST_PASSES,
    neighbourhood_steps,
)
from napari_inr_denoise.core.neighbours import Neighbours
from napari_inr_denoise.core.networks.neighbourhood import Neighbourhood
from napari_inr_denoise.core.noise import NoiseModel
from napari_inr_denoise.core.outcome import Outcome
from napari_inr_denoise.core.problem import CORRELATED_HOLE, FitProblem
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.core.stopping import StopReason

CPU = torch.device("cpu")
SMALL = preset_settings(
    "auto", window_steps=60, window_width=16, window_batch=1024, device="cpu"
)
SIDE = 13


def _network(inputs: int, samples: int = 1, blurs: int = 1) -> Neighbourhood:
    start = torch.Generator().manual_seed(0)
    return Neighbourhood(
        inputs, samples, width=16, depth=2, blurs=blurs, generator=start
    )


@torch.no_grad()
def _predicted(plane: Tensor, hole: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return prediction, gain and mix of all pixels of an untrained network."""
    counts = torch.ones(plane.shape[1:], dtype=torch.bool)
    neighbours = Neighbours(plane, torch.sinh(plane / 9), counts, 4 + hole, hole)
    network = _network(neighbours.values, len(plane), blurs=3 if hole else 1)
    seen = neighbours.around(torch.arange(counts.numel()))
    offset, gain, mix = network(seen.features, neighbours.turned_columns[0])
    return seen.level + offset, gain, mix


@pytest.mark.parametrize("place", [(0, 0), (0, 12), (12, 12), (0, 5), (7, 0), (6, 6)])
@pytest.mark.parametrize(("hole", "samples"), [(0, 1), (0, 3), (3, 1)])
def test_a_pixel_is_not_seen_by_its_own_prediction(
    place: tuple[int, int], hole: int, samples: int
) -> None:
    """Nor is any pixel in the hole around it; those just outside are."""
    start = torch.Generator().manual_seed(1)
    plane = torch.randn(samples, SIDE, SIDE, generator=start)
    before = _predicted(plane, hole)
    plane[:, place[0], place[1]] += 7
    after = _predicted(plane, hole)
    y, x = np.mgrid[:SIDE, :SIDE]
    far = np.maximum(abs(y - place[0]), abs(x - place[1])).flatten()
    blind = torch.from_numpy(far <= hole)
    for old, new in zip(before, after, strict=True):
        assert torch.equal(old[blind], new[blind])
    next_to = torch.from_numpy(far == hole + 1)
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


def _problem(
    rng: np.random.Generator, side: int = 48, *, correlated: bool = False
) -> tuple[FitProblem, np.ndarray]:
    y, x = np.mgrid[:side, :side] / side
    truth = (200 + 80 * np.sin(6 * x + 3 * y))[..., None]
    noise = rng.normal(0, 20, (side + 1, side + 1, 1))
    if correlated:
        noise = noise[1:, 1:] + noise[:-1, 1:] + noise[1:, :-1] + noise[:-1, :-1]
    noise = noise[-side:, -side:]
    noise *= 20 / noise.std()
    whole = np.ones((side, side), bool)
    model = NoiseModel(20.0, correlated, 20.0)
    return FitProblem(truth + noise, whole, whole, model), truth


def _fit(problem: FitProblem, **changes: float) -> tuple[list[int], Candidate]:
    settings = replace(SMALL, **changes)
    run = Outcome(neighbourhood_steps(problem, problem.fitted_yx, settings, CPU))
    steps = [(training.step, training.steps) for training in run]
    return [step for step, _ in steps], run.result


@pytest.mark.parametrize("correlated", [False, True])
def test_it_denoises(correlated: bool, rng: np.random.Generator) -> None:
    problem, truth = _problem(rng, correlated=correlated)
    steps, candidate = _fit(problem)
    assert problem.hole == (CORRELATED_HOLE if correlated else 0)
    error = np.sqrt(np.mean((candidate.plane_yxs - truth) ** 2))
    assert error < (12 if correlated else 8)
    assert candidate.name == "neighbourhood"
    assert candidate.reason is StopReason.TRAINED
    assert steps[0] == 0
    assert steps == sorted(steps)
    assert candidate.plane_yxs.dtype == candidate.own_share_yxs.dtype == np.float32
    assert candidate.own_share_yxs.shape == problem.plane_yxs.shape
    assert ((candidate.own_share_yxs > 0) & (candidate.own_share_yxs < 1)).all()


def test_a_small_plane_is_not_learned_by_heart(rng: np.random.Generator) -> None:
    """300 steps on all of 256 pixels would be 300 passes."""
    _, candidate = _fit(_problem(rng, side=16)[0], window_steps=300)
    assert candidate.steps == _MOST_PASSES < 300


def test_untrained_it_adds_back_about_an_eighth(rng: np.random.Generator) -> None:
    """What the last layer's bias says: sigmoid(-2) = 0.12."""
    _, candidate = _fit(_problem(rng)[0], window_rate=1e-8, window_steps=1)
    assert candidate.own_share_yxs.mean() == pytest.approx(0.12, abs=0.03)


def test_the_mean_over_the_turns_turns_with_the_plane(rng: np.random.Generator) -> None:
    """With next to no training nothing but the turns is random."""
    problem, _ = _problem(rng)
    still = {"window_rate": 1e-8, "window_steps": 1}
    _, plain = _fit(problem, **still)
    for back in (lambda p: p[::-1], lambda p: p[:, ::-1], lambda p: p.swapaxes(0, 1)):
        turned = replace(problem, plane_yxs=back(problem.plane_yxs).copy())
        found = back(_fit(turned, **still)[1].plane_yxs)
        np.testing.assert_allclose(found, plain.plane_yxs, rtol=1e-4)


def test_pixels_that_are_not_fitted_are_filled_in(rng: np.random.Generator) -> None:
    problem, truth = _problem(rng)
    fitted = problem.fitted_yx.copy()
    fitted[20:22, 30:32] = False
    answers = []
    for bad in (0.0, 1e6):
        plane = np.where(fitted[..., None], problem.plane_yxs, bad)
        spoilt = replace(problem, plane_yxs=plane, fitted_yx=fitted)
        answers.append(_fit(spoilt)[1])
    np.testing.assert_array_equal(answers[0].plane_yxs, answers[1].plane_yxs)
    hole = (answers[0].plane_yxs - truth)[~fitted]
    assert np.abs(hole).max() < 30
    assert (answers[0].own_share_yxs[~fitted] == 0).all()


def test_the_same_seed_gives_the_same_bytes(rng: np.random.Generator) -> None:
    problem, _ = _problem(rng)
    first, second = (_fit(problem)[1].plane_yxs for _ in range(2))
    other = _fit(problem, seed=1)[1].plane_yxs
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != other.tobytes()
