"""The regression within groups of similar patches: repeated structure comes back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.compute.threads import restored_thread_count
from napari_inr_denoise.core.denoise import denoise
from napari_inr_denoise.core.ensemble.filters.ridge import regressed, ridge_averaged
from napari_inr_denoise.core.ensemble.filters.similar_patches import Search
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.settings import preset_settings

SIGMA = 10.0
SEARCH = Search(similar=32, step=4, reach=14)


def _problem(noisy: NDArray[np.floating]) -> NoisyPlane:
    whole = np.ones(noisy.shape[:2], bool)
    return NoisyPlane(noisy, whole, whole, NoiseModel(SIGMA, False, SIGMA))


def _edges(
    rng: np.random.Generator, shape: tuple[int, int, int] = (64, 64, 1)
) -> tuple[NDArray[np.float64], NoisyPlane, NDArray[np.float32]]:
    """Return truth, plane and a blurred result of sharp edges that repeat."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    truth = np.where(np.sin(0.5 * x + 0.25 * y) > 0, 140.0, 100.0)[..., None]
    truth = np.broadcast_to(truth, shape).copy()
    noisy = truth + rng.normal(0, SIGMA, shape)
    result = gaussian_filter(noisy, (1.0, 1.0, 0)).astype(np.float32)
    return truth, _problem(noisy), result


def _error(image: NDArray[np.floating], truth: NDArray[np.floating]) -> float:
    return float(np.sqrt(np.mean((image - truth) ** 2)))


def test_repeated_structure_comes_back(rng: np.random.Generator) -> None:
    truth, problem, result = _edges(rng)
    found = ridge_averaged(problem, result)
    assert _error(found, truth) < 0.8 * _error(result, truth)


@pytest.mark.parametrize("rounds", [1, 2])
def test_what_is_flat_stays_flat(rng: np.random.Generator, rounds: int) -> None:
    noisy = 100 + rng.normal(0, SIGMA, (64, 64, 1))
    result = np.full_like(noisy, 100.0, dtype=np.float32)
    found = ridge_averaged(_problem(noisy), result, rounds=rounds)
    assert _error(found, result) < 0.01 * SIGMA


def test_a_second_round_has_a_better_pilot(rng: np.random.Generator) -> None:
    truth, problem, result = _edges(rng)
    once, twice = (ridge_averaged(problem, result, rounds=rounds) for rounds in (1, 2))
    assert _error(twice, truth) < 0.97 * _error(once, truth)


@pytest.mark.parametrize(
    ("axes", "mode"), [("YX", "plane"), ("ZYX", "plane"), ("ZYX", "volume")]
)
def test_the_rounds_are_those_of_the_settings(
    rng: np.random.Generator, axes: str, mode: str
) -> None:
    """In a plane, in a stack, and in a volume that is filtered as a stack."""
    truth, *_ = _edges(rng, (32, 32, 1))
    image = np.stack([truth[..., 0] + rng.normal(0, SIGMA, (32, 32)) for _ in "zzz"])
    image = image[0] if axes == "YX" else image + 9 * rng.normal(size=(3, 1, 1))
    few = {"window_steps": 4, "max_steps": 4, "width": 16, "batch_size": 256}
    settings = preset_settings("fast", mode=mode, device="cpu", **few)
    once, twice = (
        denoise(image, axes=axes, settings=replace(settings, ridge_rounds=rounds))
        for rounds in (1, 2)
    )
    assert np.abs(once.image - twice.image).max() > 0.01


def test_samples_of_one_structure_help_each_other(rng: np.random.Generator) -> None:
    truth, problem, result = _edges(rng, (64, 64, 3))
    together = ridge_averaged(problem, result)
    alone = [
        ridge_averaged(
            _problem(problem.plane_yxs[..., k : k + 1]), result[..., k : k + 1]
        )
        for k in range(3)
    ]
    assert _error(together, truth) < _error(np.concatenate(alone, axis=-1), truth)


@pytest.mark.parametrize("threads", [2, 5])
def test_bands_in_threads_give_the_bytes_of_one_after_the_other(
    rng: np.random.Generator, threads: int
) -> None:
    pilot, removed = torch.from_numpy(rng.normal(size=(2, 1, 60, 50, 1))).float()
    found = []
    with restored_thread_count():
        for count in (1, threads):
            torch.set_num_threads(count)
            found.append(regressed(pilot, removed, torch.ones(1, 60, 50), SEARCH))
            assert torch.get_num_threads() == count
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


def test_a_flat_group_keeps_one_share_of_each_patch(rng: np.random.Generator) -> None:
    removed = torch.from_numpy(rng.normal(size=(1, 40, 40, 1))).float()
    _, kept = regressed(
        torch.zeros(1, 40, 40, 1), removed, torch.ones(1, 40, 40), SEARCH
    )
    covered = kept[kept > 0].numpy()
    assert len(covered) > 400
    np.testing.assert_allclose(covered, 1 / 32, rtol=1e-4)


def test_strong_structure_is_kept_whole(rng: np.random.Generator) -> None:
    pilot = torch.from_numpy(rng.normal(0, 1000, (1, 30, 30, 1))).float()
    removed = torch.from_numpy(rng.normal(size=(1, 30, 30, 1))).float()
    change, kept = regressed(pilot, removed, torch.ones(1, 30, 30), SEARCH)
    np.testing.assert_allclose(change.numpy(), removed[0].numpy(), atol=0.05)
    assert kept.min() > 0.99


def test_correlated_noise_and_none_change_nothing(rng: np.random.Generator) -> None:
    _, problem, result = _edges(rng)
    for noise in (
        replace(problem.noise, correlated=True),
        replace(problem.noise, sigma=0.0),
    ):
        assert ridge_averaged(replace(problem, noise=noise), result) is result


@pytest.mark.parametrize("shape", [(37, 53, 3), (7, 70, 1), (8, 8, 2), (10, 6, 1)])
def test_any_size(shape: tuple[int, int, int], rng: np.random.Generator) -> None:
    _, problem, result = _edges(rng, shape)
    found = ridge_averaged(problem, result)
    assert found.shape == shape
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


@pytest.mark.parametrize(("factor", "offset"), [(1e-6, 0.0), (1e6, 0.0), (1.0, 1e5)])
def test_it_follows_the_unit(
    factor: float, offset: float, rng: np.random.Generator
) -> None:
    _, problem, result = _edges(rng, (32, 32, 1))
    expected = ridge_averaged(problem, result).astype(np.float64)
    sigma = SIGMA * factor
    scaled = replace(
        problem,
        plane_yxs=problem.plane_yxs * factor + offset,
        noise=NoiseModel(sigma, False, sigma),
    )
    found = ridge_averaged(
        scaled, (result.astype(float) * factor + offset).astype("f4")
    )
    np.testing.assert_allclose(
        (found - offset) / factor, expected, atol=0.05 if offset else 1e-3
    )


def test_pixels_that_do_not_count_are_not_seen(rng: np.random.Generator) -> None:
    _, problem, result = _edges(rng, (32, 32, 1))
    counted = np.ones((32, 32), bool)
    counted[10:13, 20] = False
    other = problem.plane_yxs.copy()
    other[~counted] = 1e6
    both = [
        ridge_averaged(replace(problem, plane_yxs=one, fitted_yx=counted), result)
        for one in (problem.plane_yxs, other)
    ]
    np.testing.assert_array_equal(*both)


def test_extreme_values_stay_finite(rng: np.random.Generator) -> None:
    result = np.zeros((24, 24, 1), np.float32)
    result[12, 12] = 1e30
    noisy = result + rng.normal(0, SIGMA, result.shape)
    assert np.isfinite(ridge_averaged(_problem(noisy), result)).all()


def test_planes_beside_help_where_they_are_alike(rng: np.random.Generator) -> None:
    truth, problem, result = _edges(rng)
    beside = [_edges(rng)[1:] for _ in range(2)]
    alone = ridge_averaged(problem, result)
    together = ridge_averaged(problem, result, beside=beside)
    assert _error(together, truth) < 0.97 * _error(alone, truth)


def test_planes_beside_that_are_unlike_change_little(rng: np.random.Generator) -> None:
    truth, problem, result = _edges(rng)
    other = np.full_like(result, 900.0)
    unlike = _problem(other + rng.normal(0, SIGMA, other.shape)), other
    alone = ridge_averaged(problem, result)
    together = ridge_averaged(problem, result, beside=[unlike])
    assert _error(together, truth) < 1.03 * _error(alone, truth)


def test_a_noisier_plane_beside_counts_less(rng: np.random.Generator) -> None:
    truth, problem, result = _edges(rng)
    noisier = truth + rng.normal(0, 10 * SIGMA, truth.shape)
    model = NoiseModel(10 * SIGMA, False, 10 * SIGMA)
    beside = replace(_problem(noisier), noise=model), result
    alone = ridge_averaged(problem, result)
    together = ridge_averaged(problem, result, beside=[beside])
    assert _error(together, truth) < 1.05 * _error(alone, truth)


def test_the_operations_for_cuda_give_the_same(
    rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They run on the CPU too; no GPU is needed."""
    _, problem, result = _edges(rng)
    usual = ridge_averaged(problem, result)
    monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    monkeypatch.delattr(torch, "cholesky_inverse")
    monkeypatch.setattr(torch.Tensor, "index_add_", None)
    found = ridge_averaged(problem, result)
    np.testing.assert_allclose(found, usual, atol=1e-3 * SIGMA)
