from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_inr_denoise.core.candidates.attention import AttentionModel, _padded
from napari_inr_denoise.core.candidates.training import train
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.networks.attention import PHASES
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.settings import preset_settings

CPU = torch.device("cpu")
SMALL = preset_settings(
    "auto", attention_steps=20, attention_width=8, attention_batch=1, device="cpu"
)


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
) -> tuple[NoisyPlane, np.ndarray]:
    y, x = np.mgrid[: shape[0], : shape[1]] / max(shape)
    truth = (200 + 80 * np.sin(6 * x + 3 * y))[..., None]
    whole = np.ones(shape, bool)
    noisy = truth + rng.normal(0, 20, truth.shape)
    return NoisyPlane(noisy, whole, whole, NoiseModel(20.0, False, 20.0)), truth


def _fit(
    problem: NoisyPlane, targets: np.ndarray | None = None, **changes: float
) -> Candidate:
    trained = problem.fitted_yx if targets is None else targets
    settings = replace(SMALL, **changes)
    trainer = AttentionModel().plane_trainer(problem, trained, settings, CPU)
    run = GeneratorResult(train(trainer, settings.n_augmentations))
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
    assert candidate.divergence_yxs.shape == truth.shape
    assert ((candidate.divergence_yxs > 0) & (candidate.divergence_yxs < 1)).all()


def test_the_mean_over_the_turns_turns_with_the_plane(rng: np.random.Generator) -> None:
    """With next to no training nothing but the augmentation is random.

    And the rounding of products, to bfloat16 where a processor has it.
    """
    problem, _ = _problem(rng)
    still = {"attention_rate": 1e-8, "attention_steps": 1}
    transposed = replace(problem, plane_yxs=problem.plane_yxs.swapaxes(0, 1).copy())
    found = _fit(transposed, **still).plane_yxs.swapaxes(0, 1)
    np.testing.assert_allclose(found, _fit(problem, **still).plane_yxs, rtol=1e-3)


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
    assert (answers[0].divergence_yxs[~fitted] == 0).all()


def test_the_same_seed_gives_the_same_bytes(rng: np.random.Generator) -> None:
    problem, _ = _problem(rng)
    first, second = (_fit(problem).plane_yxs for _ in range(2))
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != _fit(problem, seed=1).plane_yxs.tobytes()
