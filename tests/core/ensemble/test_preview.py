"""States that are shown during the training get the filters of a result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.ensemble import preview
from napari_inr_denoise.core.ensemble.filters.wiener import wiener_averaged
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.ensemble.preview import PreviewFilter
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.stop_reason import StopReason

CPU = torch.device("cpu")


@pytest.fixture
def edges(rng: np.random.Generator) -> tuple[NDArray[np.float64], NoisyPlane]:
    """Return sharp edges that repeat, and the same with noise."""
    y, x = np.mgrid[:96, :96]
    truth = np.where(np.sin(0.5 * x + 0.25 * y) > 0, 140.0, 100.0)[..., None]
    noisy = truth + rng.normal(0, 10.0, truth.shape)
    whole = np.ones(noisy.shape[:2], bool)
    return truth, NoisyPlane(noisy, whole, whole, NoiseModel(10.0, False, 10.0))


def _blurred(truth: NDArray[np.float64], sigma: float) -> Candidate:
    plane = gaussian_filter(truth, (sigma, sigma, 0)).astype(np.float32)
    return Candidate("", plane, np.full_like(plane, 0.05), 1, StopReason.TRAINED)


def _error(plane: NDArray[np.floating], truth: NDArray[np.float64]) -> float:
    return float(np.sqrt(np.mean((plane - truth) ** 2)))


def test_later_states_use_the_regression_of_the_first(
    edges: tuple[NDArray[np.float64], NoisyPlane], monkeypatch: pytest.MonkeyPatch
) -> None:
    truth, problem = edges
    found: list[object] = []
    original = preview.regression

    def counted(*given: object) -> object:
        found.append(original(*given))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(preview, "regression", counted)
    filters = PreviewFilter(problem, CPU, seed=0)
    assert filters.improved() is None
    first = filters.filtered(_blurred(truth, 1.5))
    improved = filters.improved()
    assert improved is not None
    assert _error(improved, truth) < 0.9 * _error(first, truth)
    assert filters.improved() is None
    plain = PreviewFilter(problem, CPU, seed=0).filtered(_blurred(truth, 1.0))
    later = filters.filtered(_blurred(truth, 1.0))
    assert _error(later, truth) < 0.9 * _error(plain, truth)
    assert filters.improved() is None
    assert len(found) == 1


def test_correlated_noise_is_filtered_without_similar_patches(
    edges: tuple[NDArray[np.float64], NoisyPlane],
) -> None:
    truth, problem = edges
    noise = replace(problem.noise, correlated=True, correlation_distance=2)
    problem, state = replace(problem, noise=noise), _blurred(truth, 1.0)
    filters = PreviewFilter(problem, CPU, seed=0)
    wiener = wiener_averaged(problem, state.plane_yxs, CPU)
    np.testing.assert_array_equal(filters.filtered(state), wiener)
    assert filters.improved() is None
