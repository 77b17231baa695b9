from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_inr_denoise.core.candidates import siren as fit_module
from napari_inr_denoise.core.candidates.siren import fit_steps
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitStep
from napari_inr_denoise.core.noise.estimate import plane_noise
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.settings import DenoiseSettings

CPU = torch.device("cpu")


def _problem(
    rng: np.random.Generator, side: int = 48, sigma: float = 20.0
) -> tuple[NoisyPlane, np.ndarray]:
    y, x = np.mgrid[:side, :side] / side
    truth = (100 + 80 * np.sin(6 * x + 3 * y))[..., None]
    noisy = truth + rng.normal(0, sigma, truth.shape)
    noise = NoiseModel(sigma, correlated=False, sigma_neighbours=sigma)
    whole = np.ones((side, side), bool)
    return NoisyPlane(noisy, whole, whole, noise), truth


def _finish(
    problem: NoisyPlane, settings: DenoiseSettings
) -> tuple[list[FitStep], FitResult]:
    run = GeneratorResult(fit_steps(problem, settings, CPU))
    return list(run), run.result


def test_it_stops_within_five_percent_of_the_noise_level_and_denoises(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    problem, truth = _problem(rng)
    steps, result = _finish(problem, replace(tiny, max_steps=2000))
    assert result.reason is StopReason.NOISE_LEVEL
    ratio = result.residual_rms**2 / problem.noise.sigma**2
    assert 0.95 <= ratio <= 1.0
    error = np.sqrt(np.mean((result.plane_yxs - truth) ** 2))
    assert error < problem.noise.sigma / 3
    assert all(step.residual_rms > problem.noise.sigma for step in steps)


def test_the_reported_residual_is_that_of_the_output(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    problem, _ = _problem(rng)
    _, result = _finish(problem, tiny)
    residual = result.plane_yxs - problem.plane_yxs
    assert result.residual_rms == pytest.approx(np.sqrt(np.mean(residual**2)), rel=1e-4)


def test_the_output_is_the_averaged_network(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    problem, _ = _problem(rng)
    averaged = _finish(problem, replace(tiny, average_decay=0.9))[1]
    plain = _finish(problem, replace(tiny, average_decay=0.0))[1]
    assert not np.allclose(averaged.plane_yxs, plain.plane_yxs)


def test_the_budget_gives_the_best_so_far(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    problem, _ = _problem(rng, sigma=1e-3)
    steps, result = _finish(problem, replace(tiny, max_steps=25))
    assert result.reason is StopReason.BUDGET
    assert result.residual_rms <= min(step.residual_rms for step in steps) * 1.01
    assert [step.step for step in steps][:2] == [0, 10]
    assert steps[-1].step <= 25


def test_the_same_seed_gives_the_same_bytes(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    problem, _ = _problem(rng)
    torch.manual_seed(1)
    first = _finish(problem, tiny)[1]
    torch.manual_seed(2)  # the global generator must not matter
    second = _finish(problem, tiny)[1]
    other = _finish(problem, replace(tiny, seed=1))[1]
    assert first.plane_yxs.tobytes() == second.plane_yxs.tobytes()
    assert first.plane_yxs.tobytes() != other.plane_yxs.tobytes()


def test_the_global_generator_is_left_alone(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    before = torch.get_rng_state()
    _finish(_problem(rng)[0], replace(tiny, max_steps=3))
    assert torch.equal(before, torch.get_rng_state())


def test_an_unstable_fit_gives_the_best_before(
    rng: np.random.Generator, tiny: DenoiseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = fit_module._Fit.advance

    def poisoned(self: fit_module._Fit, steps: int) -> None:
        advance(self, steps)
        if self._training.steps >= 20:
            for weights in self._training.average._average:
                weights.fill_(float("nan"))

    monkeypatch.setattr(fit_module._Fit, "advance", poisoned)
    steps, result = _finish(_problem(rng)[0], tiny)
    assert result.reason is StopReason.NON_FINITE
    assert np.isfinite(result.plane_yxs).all()
    assert result.steps == steps[-1].step == 10


@pytest.mark.parametrize("learning_rate", [1.0, 0.3])
def test_a_diverging_fit_never_raises(
    rng: np.random.Generator, tiny: DenoiseSettings, learning_rate: float
) -> None:
    settings = replace(tiny, learning_rate=learning_rate, weight_decay=1e4)
    _, result = _finish(_problem(rng, sigma=1e-3)[0], settings)
    assert result.reason in (StopReason.NON_FINITE, StopReason.BUDGET)
    assert np.isfinite(result.plane_yxs).all()


def test_a_caller_who_closes_keeps_the_best_so_far(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    problem, _ = _problem(rng)
    fit = fit_steps(problem, tiny, CPU)
    next(fit)
    step = next(fit)
    fit.close()
    assert step.best.reason is StopReason.CALLER
    assert step.best.plane_yxs.shape == problem.plane_yxs.shape
    assert step.best.steps == step.step == 10


def test_invalid_pixels_do_not_pull_the_fit(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    problem, truth = _problem(rng, sigma=5.0)
    plane, fitted = problem.plane_yxs.copy(), problem.fitted_yx.copy()
    plane[20:24, 20:24], fitted[20:24, 20:24] = 1e6, False
    settings = replace(tiny, max_steps=400)
    _, result = _finish(replace(problem, plane_yxs=plane, fitted_yx=fitted), settings)
    hole = result.plane_yxs[20:24, 20:24] - truth[20:24, 20:24]
    assert np.abs(hole).max() < 25


def test_a_fit_that_cannot_begin_gives_the_plane_back(
    rng: np.random.Generator, tiny: DenoiseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    render = fit_module.PatchGrid.render
    monkeypatch.setattr(
        fit_module.PatchGrid, "render", lambda *given: render(*given) * float("nan")
    )
    problem, _ = _problem(rng)
    steps, result = _finish(problem, tiny)
    assert steps == []
    assert result.reason is StopReason.NON_FINITE
    np.testing.assert_array_equal(result.plane_yxs, problem.plane_yxs.astype("f4"))


def test_pure_noise_comes_back_flat(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    plane = rng.normal(500, 30, (128, 128, 1))
    valid = np.ones((128, 128), bool)
    problem = NoisyPlane(plane, valid, valid, plane_noise(plane, valid))
    _, result = _finish(problem, tiny)
    assert result.plane_yxs.std() < 6
    assert result.plane_yxs.mean() == pytest.approx(500, abs=2)


def test_progress_never_falls_and_steps_are_frozen(
    rng: np.random.Generator, tiny: DenoiseSettings
) -> None:
    steps, _ = _finish(_problem(rng)[0], tiny)
    progress = [step.progress for step in steps]
    assert progress == sorted(progress)
    assert 0 <= progress[0] <= progress[-1] <= 1
    with pytest.raises(AttributeError):
        steps[0].step = 3  # type: ignore[misc]
