from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_inr_denoise.core.candidates.neighbourhood import NeighbourhoodModel
from napari_inr_denoise.core.candidates.schedule import (
    _MOST_PASSES,
    schedule,
    signal_to_noise,
)
from napari_inr_denoise.core.candidates.training import train
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import (
    NoisyPlane,
)
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.settings import preset_settings

CPU = torch.device("cpu")
SMALL = preset_settings(
    "auto", window_steps=60, window_width=16, window_batch=1024, device="cpu"
)


def _problem(
    rng: np.random.Generator, side: int = 48, *, correlated: bool = False
) -> tuple[NoisyPlane, np.ndarray]:
    y, x = np.mgrid[:side, :side] / side
    truth = (200 + 80 * np.sin(6 * x + 3 * y))[..., None]
    noise = rng.normal(0, 20, (side + 1, side + 1, 1))
    if correlated:
        noise = noise[1:, 1:] + noise[:-1, 1:] + noise[1:, :-1] + noise[:-1, :-1]
    noise = noise[-side:, -side:]
    noise *= 20 / noise.std()
    whole = np.ones((side, side), bool)
    distance = 3 if correlated else 1
    model = NoiseModel(20.0, correlated, 20.0, correlation_distance=distance)
    return NoisyPlane(truth + noise, whole, whole, model), truth


def _fit(problem: NoisyPlane, **changes: float) -> tuple[list[int], Candidate]:
    settings = replace(SMALL, **changes)
    model = NeighbourhoodModel()
    trainer = model.plane_trainer(problem, problem.fitted_yx, settings, CPU)
    run = GeneratorResult(train(trainer, settings.n_augmentations))
    steps = [(training.step, training.steps) for training in run]
    return [step for step, _ in steps], run.result


@pytest.mark.parametrize("correlated", [False, True])
def test_it_denoises(correlated: bool, rng: np.random.Generator) -> None:
    problem, truth = _problem(rng, correlated=correlated)
    steps, candidate = _fit(problem)
    assert problem.blind_radius == (2 if correlated else 0)
    error = np.sqrt(np.mean((candidate.plane_yxs - truth) ** 2))
    assert error < (12 if correlated else 8)
    assert candidate.name == "neighbourhood"
    assert candidate.reason is StopReason.TRAINED
    assert steps[0] == 0
    assert steps == sorted(steps)
    assert candidate.plane_yxs.dtype == candidate.divergence_yxs.dtype == np.float32
    assert candidate.divergence_yxs.shape == problem.plane_yxs.shape
    assert ((candidate.divergence_yxs > 0) & (candidate.divergence_yxs < 1)).all()


def test_a_small_plane_is_not_learned_by_heart(rng: np.random.Generator) -> None:
    """300 steps on all of 256 pixels would be 300 passes."""
    _, candidate = _fit(_problem(rng, side=16)[0], window_steps=300)
    assert candidate.steps <= _MOST_PASSES < 300


def test_where_noise_is_strong_a_small_plane_gets_fewer_passes() -> None:
    settings = preset_settings("auto")
    taken = [schedule(4000, 600, settings, snr=c)[1] for c in (0.1, 2.0, 3.0, 9.0)]
    assert taken[0] < taken[1] < taken[2] == taken[3]
    many = [schedule(10**6, 600, settings, snr=c)[1] for c in (0.1, 9.0)]
    assert many == [600, 600]


def test_the_ratio_is_that_of_the_signal_to_the_noise(rng: np.random.Generator) -> None:
    problem, truth = _problem(rng, side=96)
    assert signal_to_noise(problem) == pytest.approx(truth.std() / 20, rel=0.1)
    flat = replace(problem, plane_yxs=np.full_like(problem.plane_yxs, 7.0))
    assert signal_to_noise(flat) == 0


def test_more_steps_than_for_a_plane_are_for_more_pixels() -> None:
    settings = preset_settings("fast")
    alone = settings.neighbourhood.steps
    taken = [schedule(count, 4 * alone, settings)[1] for count in (10**4, 10**5, 10**6)]
    assert taken[0] == alone < taken[1] < taken[2] == 4 * alone


def test_untrained_it_adds_back_little(rng: np.random.Generator) -> None:
    """What the last layer's bias says: sigmoid(-2.75) = 0.06."""
    _, candidate = _fit(_problem(rng)[0], window_rate=1e-8, window_steps=1)
    assert candidate.divergence_yxs.mean() == pytest.approx(0.06, abs=0.02)


def test_the_mean_over_the_turns_turns_with_the_plane(rng: np.random.Generator) -> None:
    """With next to no training nothing but the augmentation is random."""
    problem, _ = _problem(rng)
    still = {"window_rate": 1e-8, "window_steps": 1}
    _, plain = _fit(problem, **still)
    for back in (lambda p: p[::-1], lambda p: p[:, ::-1], lambda p: p.swapaxes(0, 1)):
        transformed = replace(problem, plane_yxs=back(problem.plane_yxs).copy())
        found = back(_fit(transformed, **still)[1].plane_yxs)
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
    assert (answers[0].divergence_yxs[~fitted] == 0).all()


def test_the_same_seed_gives_the_same_bytes(rng: np.random.Generator) -> None:
    problem, _ = _problem(rng)
    first, second = (_fit(problem)[1].plane_yxs for _ in range(2))
    other = _fit(problem, seed=1)[1].plane_yxs
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != other.tobytes()


def test_correlated_noise_has_a_limit_of_its_own() -> None:
    model, pixels = NeighbourhoodModel(), 10**6
    for wanted, expected in ((100, 100), (400, 200)):
        settings = preset_settings("fast", window_steps=wanted)
        white, correlated = (
            model.planned_steps(pixels, wanted, settings, correlated=one)
            for one in (False, True)
        )
        assert (white, correlated) == (wanted, expected)
