from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter

from napari_inr_denoise.core.ensemble.quality import estimated_error, judge, uncertainty
from napari_inr_denoise.core.noise.level.level_function import NoiseLevelFunction
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.core.report.warning import PlaneWarning

SIDE = 128
SIGMA = 5.0
WHOLE = np.ones((SIDE, SIDE), bool)


def _truth() -> np.ndarray:
    """Draw waves of 12 pixels, which a blur takes away."""
    y, x = np.mgrid[:SIDE, :SIDE]
    return (100 + 40 * np.sin(x / 2) * np.cos(y / 3))[..., None]


def _problem(
    noise: np.ndarray, *, correlated: bool = False, fitted: np.ndarray = WHOLE
) -> NoisyPlane:
    model = NoiseModel(SIGMA, correlated, SIGMA)
    return NoisyPlane(_truth() + noise, WHOLE, fitted, model)


def _f4(plane: np.ndarray) -> np.ndarray:
    return plane.astype(np.float32)


def _white(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(0, SIGMA, (SIDE, SIDE, 1))


def test_white_noise_removed_is_noise_only(rng: np.random.Generator) -> None:
    quality = judge(_problem(_white(rng)), _f4(_truth()), 1.5)
    assert quality.verdict is Verdict.NOISE_ONLY
    assert abs(quality.whiteness) < 0.05
    assert quality.held_out_error == 1.5


@pytest.mark.parametrize("width", [1.0, 2.0, 30.0])
def test_structure_removed_is_said(width: float, rng: np.random.Generator) -> None:
    blurred = gaussian_filter(_truth()[..., 0], width)[..., None]
    quality = judge(_problem(_white(rng)), _f4(blurred), None)
    assert quality.verdict is Verdict.STRUCTURE
    assert quality.held_out_error is None


def test_faint_structure_is_told_by_the_neighbours_alone(
    rng: np.random.Generator,
) -> None:
    """Half the noise's power in waves: the level is not noteworthy yet."""
    faint = 0.06 * (_truth() - 100)
    quality = judge(_problem(0.9 * _white(rng)), _f4(_truth() - 2 * faint), None)
    assert quality.whiteness > 0.05
    assert quality.verdict is Verdict.STRUCTURE


def test_correlated_noise_is_said(rng: np.random.Generator) -> None:
    noise = convolve(_white(rng), np.full((2, 2, 1), 0.5))
    quality = judge(_problem(noise, correlated=True), _f4(_truth()), None)
    assert quality.verdict is Verdict.CORRELATED
    assert quality.whiteness == pytest.approx(0.5, abs=0.07)


def test_a_result_without_bias_has_none(rng: np.random.Generator) -> None:
    quality = judge(_problem(_white(rng)), _f4(_truth()), None)
    intensities, changes = np.transpose(quality.intensity_bias)
    assert list(intensities) == sorted(intensities)
    np.testing.assert_allclose(changes, 0, atol=4 * SIGMA / np.sqrt(SIDE**2 / 8))


def test_a_bias_is_found_where_it_is_and_adds_up(rng: np.random.Generator) -> None:
    """The bright half comes out 3 too dark."""
    problem = _problem(_white(rng))
    result = _f4(np.where(_truth() > 100, _truth() - 3, _truth()))
    quality = judge(problem, result, None)
    changes = np.array([change for _, change in quality.intensity_bias])
    assert np.abs(changes[:3]).max() < 0.5
    np.testing.assert_allclose(changes[-3:], -3, atol=0.5)
    # The groups are of equal size: their mean is the change of the image's mean.
    assert changes.mean() == pytest.approx(
        result.mean() - problem.plane_yxs.mean(), abs=0.01
    )


def test_pixels_left_out_of_the_fit_are_not_judged(rng: np.random.Generator) -> None:
    fitted = WHOLE.copy()
    fitted[10:20, 10:20] = False
    noise = _white(rng)
    plain = judge(_problem(noise, fitted=fitted), _f4(_truth()), None)
    noise[~fitted] = 1e6
    assert judge(_problem(noise, fitted=fitted), _f4(_truth()), None) == plain


@pytest.mark.parametrize(("error", "divergence"), [(3.0, 0.0), (2.0, 0.3), (4.0, 0.1)])
def test_the_estimated_error_is_the_true_one(
    error: float, divergence: float, rng: np.random.Generator
) -> None:
    """Where it is larger than the network's own gain says."""
    noise = _white(rng)
    result = _truth() + rng.normal(0, error, noise.shape) + divergence * noise
    share = np.full(noise.shape, divergence, np.float32)
    found = estimated_error(_problem(noise), _f4(result), share, WHOLE)
    true = np.sqrt(np.mean((result - _truth()) ** 2))
    assert true == pytest.approx(np.hypot(error, divergence * SIGMA), rel=0.03)
    expected = np.sqrt(divergence) * SIGMA
    assert found >= 0.95 * true
    assert found <= max(1.1 * true, 1.3 * expected)


def test_a_risk_of_few_pixels_counts_beyond_its_chance_only(
    rng: np.random.Generator,
) -> None:
    """A result as good as its gain says, on planes with 200 held-out pixels."""
    share, found = 0.02, []
    few = np.zeros((SIDE, SIDE), bool)
    few.ravel()[rng.permutation(few.size)[:200]] = True
    for _ in range(20):
        noise = _white(rng)
        wrong = rng.normal(0, SIGMA * np.sqrt(share / (1 - share)), noise.shape)
        result = _truth() + wrong + share * (noise - wrong)
        shares = np.full(noise.shape, share, np.float32)
        found.append(estimated_error(_problem(noise), _f4(result), shares, few))
    true = np.sqrt(share) * SIGMA
    # With the risk as it is, 1.3 to 1.5 times the true error.
    assert np.mean(found) == pytest.approx(1.1 * true, rel=0.1)


def test_no_error_is_estimated_as_none_at_all(rng: np.random.Generator) -> None:
    """The risk comes out below zero; the estimate stays above."""
    noise = 0.9 * _white(rng)  # less than the model says
    share = np.zeros(noise.shape, np.float32)
    found = estimated_error(_problem(noise), _f4(_truth()), share, WHOLE)
    assert 0 < found < 0.1 * SIGMA


def test_the_error_under_correlated_noise_is_that_of_the_gain(
    rng: np.random.Generator,
) -> None:
    """The difference from the pixel would tell nothing: here it is huge."""
    problem = _problem(_white(rng), correlated=True)
    share = np.full(problem.plane_yxs.shape, 0.25, np.float32)
    found = estimated_error(problem, _f4(_truth() + 100), share, WHOLE)
    assert found == pytest.approx(SIGMA / 2, rel=0.3)


def test_correlated_noise_that_was_not_removed_is_an_error(
    rng: np.random.Generator,
) -> None:
    """Though the blind spot, which it leaks through, tells no error."""
    problem = _problem(_white(rng), correlated=True)
    share = np.full(problem.plane_yxs.shape, 0.01, np.float32)
    kept = _f4(_truth() + 0.9 * (problem.plane_yxs - _truth()))
    found = estimated_error(problem, kept, share, WHOLE)
    assert found == pytest.approx(0.9 * SIGMA, rel=0.1)


def test_the_uncertainty_is_of_the_size_of_the_estimated_error(
    rng: np.random.Generator,
) -> None:
    """A result with the error that its gain tells: share g, variance g."""
    noise, share = _white(rng), 0.2
    wrong = rng.normal(0, SIGMA * np.sqrt(share / (1 - share)), noise.shape)
    result = _truth() + wrong + share * (noise - wrong)
    shares = np.full(noise.shape, share, np.float32)
    problem = _problem(noise)
    found = uncertainty(problem, _f4(result), shares)
    assert found.shape == noise.shape
    assert found.dtype == np.float32
    true = np.sqrt(np.mean((result - _truth()) ** 2))
    assert np.sqrt(np.mean(found**2)) == pytest.approx(true, rel=0.3)
    error = estimated_error(problem, _f4(result), shares, WHOLE)
    assert error == pytest.approx(true, rel=0.3)


def test_the_uncertainty_grows_with_the_noise_and_is_never_nought() -> None:
    line = NoiseLevelFunction(1.0, 0.0, (0.0, 100.0, 200.0), (0.0, 100.0, 200.0))
    model = NoiseModel(10.0, False, 10.0)
    problem = NoisyPlane(_truth(), WHOLE, WHOLE, model, curves=(line,))
    share = np.zeros((SIDE, SIDE, 1), np.float32)
    found = uncertainty(problem, _f4(_truth()), share)
    assert found.min() > 0
    ratio = found**2 / _truth()
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-3)
    louder = uncertainty(problem, _f4(_truth()), np.full_like(share, 0.5))
    assert (louder > found).all()
    assert (louder < 1.2 * np.sqrt(_truth())).all()


def test_a_good_result_has_no_warning(rng: np.random.Generator) -> None:
    assert judge(_problem(_white(rng)), _f4(_truth()), None).warnings == ()


def test_little_removed_is_a_warning(rng: np.random.Generator) -> None:
    problem = _problem(_white(rng))
    kept = problem.plane_yxs - 0.2 * (problem.plane_yxs - _truth())
    found = judge(problem, _f4(kept), None).warnings
    assert found == (PlaneWarning.LITTLE_REMOVED,)


def test_noise_that_differs_by_region_makes_the_model_uncertain(
    rng: np.random.Generator,
) -> None:
    noise = _white(rng)
    noise[:, : noise.shape[1] // 2] *= 5
    found = judge(_problem(noise), _f4(_truth()), None).warnings
    assert PlaneWarning.MODEL_UNCERTAIN in found


def test_correlated_noise_is_a_warning(rng: np.random.Generator) -> None:
    found = judge(_problem(_white(rng), correlated=True), _f4(_truth()), None).warnings
    assert found == (PlaneWarning.CORRELATED_NOISE,)


@pytest.mark.parametrize(("share", "told"), [(0.004, False), (0.05, True)])
def test_saturated_pixels_are_a_warning(
    share: float, told: bool, rng: np.random.Generator
) -> None:
    problem = _problem(_white(rng))
    noise = replace(problem.noise, clipped_high=share)
    found = judge(replace(problem, noise=noise), _f4(_truth()), None).warnings
    assert (PlaneWarning.CLIPPED in found) == told
