from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.ensemble.weighting import (
    EMPTY,
    FEWEST,
    HELD_OUT,
    flat_candidate,
    hold_out,
    is_flat,
    mean_of,
    weigh,
)
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason

SIDE = 200
SIGMA = 4.0
WHOLE = np.ones((SIDE, SIDE), bool)


def _truth(samples: int = 1) -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    return np.stack([100 + 50 * np.sin(9 * x + 5 * y + k) for k in range(samples)], -1)


def _problem(rng: np.random.Generator, samples: int = 1) -> NoisyPlane:
    noisy = _truth(samples) + rng.normal(0, SIGMA, (SIDE, SIDE, samples))
    return NoisyPlane(noisy, WHOLE, WHOLE, NoiseModel(SIGMA, False, SIGMA))


def _candidate(plane: np.ndarray, divergence: float = 0.0) -> Candidate:
    share = np.full(plane.shape, divergence, dtype=np.float32)
    return Candidate("one", plane.astype(np.float32), share, 1, StopReason.TRAINED)


def _off(
    error: float, rng: np.random.Generator, offset: float = 0.0, samples: int = 1
) -> Candidate:
    """The truth with errors of its own."""
    wrong = rng.normal(offset, error, (SIDE, SIDE, samples))
    return _candidate(_truth(samples) + wrong)


@pytest.mark.parametrize("samples", [1, 3])
def test_weights_are_near_the_inverse_variances(
    samples: int, rng: np.random.Generator
) -> None:
    """Errors of 1 and 3: the best weights are 9 / 10 and 1 / 10."""
    problem = _problem(rng, samples)
    good, bad = _off(1, rng, samples=samples), _off(3, rng, samples=samples)
    weights = weigh([good, bad], problem, WHOLE)
    np.testing.assert_allclose(weights, [0.9, 0.1], atol=0.03)
    swapped = weigh([bad, good], problem, WHOLE)
    np.testing.assert_allclose(swapped, weights[::-1], atol=1e-6)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_none_is_negative_and_they_sum_to_one(
    count: int, rng: np.random.Generator
) -> None:
    problem = _problem(rng)
    offsets = rng.normal(0, 3, count)
    candidates = [_off(2, rng, offset) for offset in offsets]
    weights = weigh(candidates, problem, hold_out(WHOLE, 0))
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()


def test_a_candidate_that_adds_nothing_gets_nothing(rng: np.random.Generator) -> None:
    """The second is the first with more error: its best weight would be negative."""
    first = _off(1, rng)
    second = _candidate(first.plane_yxs + rng.normal(0.5, 3, (SIDE, SIDE, 1)))
    weights = weigh([first, second], _problem(rng), WHOLE)
    assert weights[1] < 0.02


def test_equal_candidates_are_no_error(rng: np.random.Generator) -> None:
    one = _off(1, rng)
    weights = weigh([one, one], _problem(rng), WHOLE)
    assert np.isfinite(weights).all()
    assert weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("unit", [1e-3, 1e4])
def test_weights_have_no_unit(unit: float) -> None:
    def weights(scale: float) -> np.ndarray:
        rng = np.random.default_rng(0)
        plain = _problem(rng)
        noise = NoiseModel(SIGMA * scale, False, SIGMA * scale)
        problem = replace(plain, plane_yxs=plain.plane_yxs * scale, noise=noise)
        answers = [plain.plane_yxs * 0.3 + 0.7 * _truth(), _off(1.5, rng).plane_yxs]
        shares = (0.3, 0.0)
        return weigh(
            [_candidate(a * scale, s) for a, s in zip(answers, shares, strict=True)],
            problem,
            WHOLE,
        )

    assert 0.1 < weights(1.0)[0] < 0.9
    np.testing.assert_allclose(weights(unit), weights(1.0), atol=1e-3)


@pytest.mark.parametrize("far", [1e3, 1e9, 1e15])
def test_answers_that_hardly_differ_and_are_far_off_are_no_error(
    far: float, rng: np.random.Generator
) -> None:
    """Rounding makes the squares singular: structure that no network caught."""
    one = np.full((SIDE, SIDE, 1), far)
    candidates = [_candidate(one), _candidate(one * (1 + 1e-7)), _candidate(one)]
    weights = weigh(candidates, _problem(rng), WHOLE)
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()


def test_keeping_the_noise_does_not_pay(rng: np.random.Generator) -> None:
    """The noisy image is nearest to itself: only its own share gives it away."""
    problem, good = _problem(rng), _off(0.4, rng)
    noisy = _candidate(problem.plane_yxs, divergence=1.0)
    np.testing.assert_allclose(weigh([good, noisy], problem, WHOLE), [1, 0], atol=0.03)
    hidden = _candidate(problem.plane_yxs, divergence=0.0)
    np.testing.assert_allclose(weigh([good, hidden], problem, WHOLE), [0, 1], atol=0.03)


def test_pixels_that_are_not_held_out_do_not_count(rng: np.random.Generator) -> None:
    problem, held_out = _problem(rng), hold_out(WHOLE, 0)
    good = _off(1, rng)
    learned = problem.plane_yxs.copy()  # by heart, where it was trained
    learned[held_out] = _truth()[held_out] + rng.normal(0, 5, (held_out.sum(), 1))
    weights = weigh([good, _candidate(learned)], problem, held_out)
    assert weights[0] > 0.9


@pytest.mark.parametrize("few", [0, FEWEST - 1])
def test_with_too_few_pixels_the_first_is_taken(
    few: int, rng: np.random.Generator
) -> None:
    held_out = np.zeros((SIDE, SIDE), bool)
    held_out.flat[:few] = True
    weights = weigh([_off(9, rng), _off(0.1, rng)], _problem(rng), held_out)
    np.testing.assert_array_equal(weights, [1, 0])


def test_one_candidate_has_all_the_weight(rng: np.random.Generator) -> None:
    np.testing.assert_array_equal(weigh([_off(9, rng)], _problem(rng), WHOLE), [1])


def test_what_is_held_out_is_seeded_and_within_the_fitted_pixels(
    rng: np.random.Generator,
) -> None:
    fitted = rng.random((SIDE, SIDE)) < 0.8
    held_out = hold_out(fitted, 3)
    np.testing.assert_array_equal(held_out, hold_out(fitted, 3))
    assert (held_out != hold_out(fitted, 4)).any()
    assert not (held_out & ~fitted).any()
    assert held_out.sum() / fitted.sum() == pytest.approx(HELD_OUT, rel=0.15)


def test_the_mean_is_weighted() -> None:
    shape = (2, 2, 1)
    candidates = [
        _candidate(np.full(shape, 10.0), divergence=0.4),
        _candidate(np.full(shape, 20.0), divergence=0.0),
    ]
    plane, share = mean_of(candidates, np.array([0.75, 0.25]))
    np.testing.assert_allclose(plane, 12.5)
    np.testing.assert_allclose(share, 0.3, rtol=1e-6)
    assert plane.dtype == share.dtype == np.float32


def test_an_empty_image_is_the_mean_around_without_the_pixel() -> None:
    noisy = np.random.default_rng(0).normal(100, 10, (96, 96))
    whole = np.ones(noisy.shape, dtype=bool)
    noise = NoiseModel(10.0, correlated=False, sigma_neighbours=10.0)
    flat = flat_candidate(NoisyPlane(noisy[..., None], whole, whole, noise))
    assert flat.plane_yxs.std() < 1.0
    assert abs(flat.plane_yxs.mean() - 100) < 0.5
    noisy[40, 50] += 1e6
    again = flat_candidate(NoisyPlane(noisy[..., None], whole, whole, noise))
    assert abs(again.plane_yxs[40, 50, 0] - flat.plane_yxs[40, 50, 0]) < 5


def test_what_does_not_count_is_not_in_the_empty_image() -> None:
    noisy = np.full((64, 64), 7.0)
    noisy[10:20] = 1e9
    counts = noisy < 10
    noise = NoiseModel(1.0, correlated=False, sigma_neighbours=1.0)
    flat = flat_candidate(NoisyPlane(noisy[..., None], counts, counts, noise))
    np.testing.assert_allclose(flat.plane_yxs, 7.0, rtol=1e-5)


@pytest.mark.parametrize(("structure", "fewest", "most"), [(1.4, 0, 2), (0.0, 20, 40)])
def test_chance_does_not_flatten_dim_structure(
    structure: float, fewest: int, most: int, rng: np.random.Generator
) -> None:
    """A weight above `EMPTY` that a few hundred noisy pixels give is no evidence.

    The candidate is the truth, with the errors of a network where nothing is but noise.
    """
    truth = 100 + structure * (_truth() - 100) / 50
    wrong = 0.0 if structure else 1.0
    found, above = 0, 0
    for _ in range(40):
        problem = replace(
            _problem(rng), plane_yxs=truth + rng.normal(0, SIGMA, truth.shape)
        )
        candidate = _candidate(truth + rng.normal(0, wrong, truth.shape))
        held_out = rng.random((SIDE, SIDE)) < 400 / SIDE**2
        flat = _candidate(np.full_like(truth, 100))
        found += is_flat([candidate], flat, problem, held_out)
        above += weigh([candidate, flat], problem, held_out)[-1] >= EMPTY
    assert fewest <= found <= most
    assert above > (2 if structure else 30)
