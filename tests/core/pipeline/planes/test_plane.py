from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from napari_inr_denoise.core.candidates import registry
from napari_inr_denoise.core.candidates.base import CandidateSteps
from napari_inr_denoise.core.candidates.neighbourhood import NeighbourhoodModel
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import DenoiseResult, denoise, denoise_steps
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.output.result import DenoiseStep
from napari_inr_denoise.core.pipeline.planes.plane import plane_steps
from napari_inr_denoise.core.pipeline.planes.plane_report import record_tile
from napari_inr_denoise.core.report.report import PlaneReport
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from tests.phantoms import demosaicked

SIDE = 64
SIGMA = 20.0
ALL = "neighbourhood+attention+siren"


def _small(preset: str = "auto", **changes: Any) -> DenoiseSettings:
    """Return settings with which a network takes a fraction of a second."""
    small = {
        "window_steps": 60,
        "window_width": 16,
        "window_batch": 1024,
        "attention_steps": 20,
        "attention_width": 8,
        "max_steps": 60,
        "width": 32,
        "depth": 2,
        "device": "cpu",
    }
    return preset_settings(preset, **{**small, **changes})


def _truth(side: int = SIDE) -> np.ndarray:
    y, x = np.mgrid[:side, :side] / side
    return 200 + 80 * np.sin(6 * x + 3 * y)


def _noisy(side: int = SIDE) -> np.ndarray:
    truth = _truth(side)
    return truth + np.random.default_rng(0).normal(0, SIGMA, truth.shape)


def _rms(difference: np.ndarray) -> float:
    return float(np.sqrt(np.mean(difference**2)))


def _plane(result: DenoiseResult) -> PlaneReport:
    (plane,) = result.report.files[0].planes
    return plane


@cache
def _steps_of_all_three() -> tuple[list[DenoiseStep], DenoiseResult]:
    run = GeneratorResult(denoise_steps(_noisy(), settings=_small(candidates=ALL)))
    return list(run), run.result


def _all_three() -> DenoiseResult:
    return _steps_of_all_three()[1]


@cache
def _alone(name: str) -> DenoiseResult:
    return denoise(_noisy(), settings=_small(candidates=name))


def test_the_default_takes_most_of_the_noise_away() -> None:
    assert _small() == _small(candidates="neighbourhood")
    result = _alone("neighbourhood")
    gained = 20 * np.log10(_rms(_noisy() - _truth()) / _rms(result.image - _truth()))
    assert gained > 8
    assert tuple(_plane(result).candidates) == _small().candidate_names


def test_the_report_says_what_was_done() -> None:
    plane = _plane(_all_three())
    assert plane.reason == "trained"
    assert list(plane.candidates) == ALL.split("+")
    assert sum(plane.candidates.values()) == pytest.approx(1, abs=1e-3)
    assert min(plane.candidates.values()) >= 0
    assert plane.steps > 20
    assert plane.verdict == "noise_only"
    assert abs(plane.whiteness) < 0.1
    changes = [change for _, change in plane.intensity_bias]
    assert np.abs(changes).max() < SIGMA / 2
    assert plane.sigma == pytest.approx(SIGMA, rel=0.1)
    assert _all_three().report.to_dict()["files"][0]["planes"][0]["candidates"]


def test_the_mean_is_hardly_worse_than_the_best_of_them() -> None:
    alone = [_rms(_alone(name).image - _truth()) for name in ("neighbourhood", "siren")]
    assert _rms(_all_three().image - _truth()) < 1.2 * min(alone)


def test_the_estimated_error_is_near_the_true_one() -> None:
    """Photon noise on waves of 20 pixels, 96x96: 460 pixels are held out."""
    gain = 2.0
    y, x = np.mgrid[:96, :96]
    truth = gain * (40 + 30 * np.sin(x / 3) * np.cos(y / 4))
    noisy = gain * np.random.default_rng(0).poisson(truth / gain)
    result = denoise(noisy, settings=_small(candidates="neighbourhood"))
    true = _rms(result.image - truth)
    assert true / 2 < _plane(result).held_out_error < true * 2
    assert _rms(result.uncertainty) == pytest.approx(true, rel=0.6)
    assert _plane(result).gain == pytest.approx(gain, rel=0.3)


def test_the_uncertainty_has_the_images_shape_and_unit() -> None:
    found = _all_three().uncertainty
    assert found.shape == (SIDE, SIDE)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert (found > 0).all()
    quick = _small(candidates="neighbourhood", window_steps=10)
    thousandfold = denoise(1000 * _noisy(), settings=quick)
    plain = denoise(_noisy(), settings=quick)
    np.testing.assert_allclose(
        thousandfold.uncertainty, 1000 * plain.uncertainty, rtol=0.02
    )


def test_the_same_seed_gives_the_same_bytes() -> None:
    again = denoise(_noisy(), settings=_small(candidates=ALL))
    assert again.image.tobytes() == _all_three().image.tobytes()
    assert again.uncertainty.tobytes() == _all_three().uncertainty.tobytes()


@pytest.mark.parametrize("third", ["noisy", "empty"])
def test_rgb_is_denoised_jointly(third: str, rng: np.random.Generator) -> None:
    """An unused colour is often 0 everywhere."""
    truth = np.stack([_truth(), 0.5 * _truth().T, 0 * _truth()], axis=-1)
    noisy = truth + rng.normal(0, SIGMA, truth.shape)
    if third == "empty":
        noisy[..., 2] = 0
    result = denoise(noisy, axes="YXS", settings=_small("fast"))
    assert _rms((result.image - truth)[..., :2]) < SIGMA / 2
    assert result.uncertainty.shape == truth.shape
    assert np.isfinite(result.image).all()
    assert _plane(result).reason == "trained"


def test_pixels_without_a_value_come_back_without() -> None:
    noisy = _noisy()
    noisy[10:13, 20:24] = np.nan
    noisy[0, 0] = np.inf
    result = denoise(noisy, settings=_small(candidates=ALL))
    finite = np.isfinite(noisy)
    np.testing.assert_array_equal(np.isfinite(result.image), finite)
    assert np.isnan(result.image[11, 22])
    np.testing.assert_array_equal(np.isfinite(result.uncertainty), finite)
    assert _rms((result.image - _truth())[finite]) < SIGMA / 2


def test_scattered_pixels_are_enough(rng: np.random.Generator) -> None:
    """No patch of the noise estimate is whole, and the level is that of 2x2."""
    sparse = np.where(rng.random((96, 96)) < 0.3, _noisy(96), np.nan)
    result = denoise(sparse, settings=_small("fast", window_steps=5))
    np.testing.assert_array_equal(np.isnan(result.image), np.isnan(sparse))


@pytest.mark.parametrize("shape", [(5, 40), (1, 200), (6, 6)])
def test_tiny_and_thin_planes_are_no_error(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    image = rng.normal(100, 5, shape)
    result = denoise(image, settings=_small(candidates=ALL, attention_steps=5))
    assert np.isfinite(result.image).all()
    assert _plane(result).reason == "trained"


def test_fast_is_one_network() -> None:
    result = denoise(_noisy(), settings=_small("fast"))
    assert _plane(result).candidates == {"neighbourhood": 1.0}
    assert _plane(result).reason == "trained"
    assert _rms(result.image - _truth()) < SIGMA / 2


def test_attention_alone() -> None:
    result = denoise(_noisy(), settings=_small(candidates="attention"))
    assert _plane(result).candidates == {"attention": 1.0}
    assert _rms(result.image - _truth()) < SIGMA / 2


def test_siren_alone_is_the_published_method() -> None:
    result = _alone("siren")
    plane = _plane(result)
    assert plane.candidates == {"siren": 1.0}
    assert plane.reason in ("noise_level", "budget")
    assert plane.held_out_error is None
    assert plane.verdict is not None
    assert result.uncertainty is None


@pytest.mark.parametrize(("max_steps", "returned"), [(2, True), (200, False)])
def test_a_result_is_not_worse_than_the_input(max_steps: int, returned: bool) -> None:
    """After two steps next to nothing of the structure is fitted."""
    noisy = _noisy()
    settings = _small("paper", max_steps=max_steps)
    result = denoise(noisy, settings=settings)
    assert ("input_returned" in _plane(result).warnings) == returned
    assert np.array_equal(result.image, noisy.astype(np.float32)) == returned
    assert _rms(result.image - _truth()) < 1.01 * _rms(noisy - _truth())


def test_under_correlated_noise_the_first_is_taken_alone() -> None:
    """Nothing can be weighed by pixels whose neighbours give them away."""
    noise = demosaicked(np.random.default_rng(0).normal(0, 1, (96, 96)))
    noise *= SIGMA / noise.std()
    result = denoise(_truth(96) + noise, settings=_small(candidates=ALL))
    plane = _plane(result)
    assert plane.correlated
    assert plane.correlation_distance >= 2
    assert plane.candidates == {"neighbourhood": 1.0}
    assert plane.verdict == "noise_correlated"
    assert _rms(result.image - _truth(96)) < 0.7 * SIGMA


def test_progress_rises_through_all_candidates() -> None:
    steps, _ = _steps_of_all_three()
    progress = [step.progress for step in steps]
    assert progress == sorted(progress)
    assert 0 <= progress[0] < 1 / 3
    assert progress[-1] == 1
    assert all(step.fit.best is step.result for step in steps[:-1])


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_caller_who_stops_keeps_the_best_so_far(share: float) -> None:
    steps = denoise_steps(_noisy(), settings=_small(candidates=ALL))
    finished = share > 1 / 3  # a network; which is the first is not said
    step = next(
        step
        for step in steps
        if step.progress >= share and (step.result.weights or not finished)
    )
    steps.close()
    result = step.stopped()
    assert np.isfinite(result.image).all()
    assert _plane(result).reason == "stopped"
    if finished:
        assert _rms(result.image - _truth()) < SIGMA / 2
        assert sum(_plane(result).candidates.values()) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("names", ["neighbourhood", "neighbourhood+siren"])
def test_a_network_that_breaks_down_never_shows(
    names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fit that ends in NaN, as with a far too large learning rate."""

    class Broken(NeighbourhoodModel):
        def fit(
            self, problem: NoisyPlane, *_: object, **_named: object
        ) -> CandidateSteps:
            nothing = np.full(problem.plane_yxs.shape, np.nan, np.float32)
            return Candidate(self.name, nothing, nothing, 1, StopReason.TRAINED)
            yield

    monkeypatch.setitem(registry._MODELS, "neighbourhood", Broken())
    result = denoise(_noisy(), settings=_small(candidates=names))
    assert np.isfinite(result.image).all()


@pytest.mark.parametrize("names", ["", "unet", "siren+siren", "siren,attention"])
def test_a_wrong_candidate_says_what_there_is(names: str) -> None:
    with pytest.raises(
        ValueError, match=r"candidates: got .*neighbourhood, attention, siren"
    ):
        preset_settings("auto", candidates=names)


def test_pure_noise_comes_back_flat() -> None:
    noise = np.random.default_rng(0).normal(100, SIGMA, (128, 128))
    result = denoise(noise, settings=_small("fast"))
    assert result.image.std() < 0.12 * SIGMA
    assert _plane(result).candidates["flat"] > 0.5


def _fitted(problem: NoisyPlane, settings: DenoiseSettings) -> PlaneReport:
    steps = plane_steps(problem, settings, torch.device("cpu"), previews=False)
    for _ in (run := GeneratorResult(steps)):
        pass
    weights = np.ones(problem.fitted_yx.shape, np.float32)
    return record_tile({}, problem, run.result, weights).report


def _problem(sigma: float) -> NoisyPlane:
    """Return the plane with a noise level that need not be the true one."""
    everywhere = np.ones((SIDE, SIDE), bool)
    noise = NoiseModel(sigma, False, sigma)
    return NoisyPlane(_noisy()[..., None], everywhere, everywhere, noise)


def test_the_published_rule_would_have_ended_earlier() -> None:
    """A blind-spot network smooths from the start: what it removes is soon noise."""
    plane = _fitted(_problem(1.1 * SIGMA), _small("fast"))
    assert plane.stop_rules == "published_earlier"
    assert plane.noise_level_step == 25
    assert f"after 25 of {plane.steps} steps" in plane.stop_rules_sentence


def test_the_published_rule_would_have_gone_on() -> None:
    """With a noise level that is too low, the residual never comes down to it."""
    plane = _fitted(_problem(0.75 * SIGMA), _small("fast"))
    assert plane.residual_rms > 0.75 * SIGMA
    assert plane.noise_level_step is None
    assert plane.stop_rules == "published_later"
    assert "would have gone on" in plane.stop_rules_sentence


def test_the_published_method_has_one_rule() -> None:
    plane = _fitted(_problem(SIGMA), _small("paper", max_steps=400))
    assert plane.reason == "noise_level"
    assert plane.noise_level_step == plane.steps
    assert plane.stop_rules is None
    assert plane.stop_rules_sentence == ""
