"""A network and a post-filter that are registered from outside of the package."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise.core.candidates import registry
from napari_inr_denoise.core.candidates.base import BlindSpotModel
from napari_inr_denoise.core.candidates.training import Trainer, TrainingTile
from napari_inr_denoise.core.denoise import denoise
from napari_inr_denoise.core.ensemble.filters.post_filters import (
    POST_FILTERS,
    Estimate,
    FilterProblem,
)
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.preflight.estimate import preflight
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.sampling.normalization import CommonScale
from napari_inr_denoise.core.sampling.stack.series import SeriesTile
from napari_inr_denoise.core.settings import (
    CANDIDATES,
    DenoiseSettings,
    preset_settings,
)
from napari_inr_denoise.samples import field_of_cells, small_stack

# The toy network: the mean of the eight neighbours, times a factor that is trained.
#
#     1 1 1
#     1 . 1   / 8   * factor
#     1 1 1


def _neighbours(plane_yxs: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(plane_yxs, ((1, 1), (1, 1), (0, 0)), mode="reflect")
    height, width, _ = plane_yxs.shape
    shifts = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    return np.mean([padded[y : y + height, x : x + width] for y, x in shifts], axis=0)


class ToyTrainer(Trainer):
    def __init__(self, tile: TrainingTile, steps: int) -> None:
        self.steps, self._first = steps, tile.tile
        seen = _neighbours(tile.tile.problem.plane_yxs)[tile.targets_yx]
        noisy = tile.tile.problem.plane_yxs[tile.targets_yx]
        self._seen, self._noisy = torch.from_numpy(seen), torch.from_numpy(noisy)
        self._factor: Tensor = torch.zeros((), dtype=torch.float64)

    def advance(self) -> None:
        error = self._noisy - self._factor * self._seen
        self._factor += 0.5 * (error * self._seen).mean() / (self._seen**2).mean()

    def predict(
        self, tile: SeriesTile | None, n_augmentations: int
    ) -> Generator[None, None, Candidate]:
        yield
        problem = (tile or self._first).problem
        plane = float(self._factor) * _neighbours(problem.plane_yxs)
        assert n_augmentations >= 1
        return Candidate(
            "toy",
            plane.astype(np.float32),
            np.zeros_like(plane, dtype=np.float32),
            self.steps,
            StopReason.TRAINED,
        )


class ToyModel(BlindSpotModel):
    name = "toy"
    bytes_per_value = 64.0

    def trainer(
        self,
        tiles: list[TrainingTile],
        scale: CommonScale,
        settings: DenoiseSettings,
        device: torch.device,
        steps: int,
    ) -> Trainer:
        assert scale.scale > 0
        assert device.type == settings.device
        return ToyTrainer(tiles[0], steps)

    def steps(self, settings: DenoiseSettings) -> int:
        return min(settings.neighbourhood.steps, 20)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[DenoiseSettings]:
    monkeypatch.setattr(registry, "_MODELS", dict(registry._MODELS))
    registry.register_candidate(ToyModel())
    yield preset_settings("fast", candidates="toy", device="cpu")
    CANDIDATES.remove("toy")


def _error(image: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean((image - truth) ** 2)))


def test_a_toy_network_denoises_a_plane(toy: DenoiseSettings) -> None:
    sample = field_of_cells(side=64)
    result = denoise(sample.noisy, settings=toy)
    (plane,) = result.report.files[0].planes
    assert plane.candidates == {"toy": 1.0}
    before = _error(sample.noisy.astype(np.float32), sample.truth)
    assert _error(result.image, sample.truth) < 0.7 * before


def test_a_stack_shares_a_toy_network(toy: DenoiseSettings) -> None:
    sample = small_stack()
    result = denoise(sample.noisy[:4], settings=toy)
    planes = result.report.files[0].planes
    assert [plane.shared for plane in planes] == [True] * 4
    assert all(plane.candidates == {"toy": 1.0} for plane in planes)


def test_a_toy_network_is_weighted_beside_another(toy: DenoiseSettings) -> None:
    both = replace(toy, candidates="neighbourhood+toy", window_steps=30)
    result = denoise(field_of_cells(side=64).noisy, settings=both)
    (plane,) = result.report.files[0].planes
    assert set(plane.candidates) == {"neighbourhood", "toy"}


def test_the_estimate_before_a_run_knows_a_toy_network(toy: DenoiseSettings) -> None:
    told = preflight(field_of_cells(side=64).noisy, settings=toy)
    assert 0 < told.seconds < 60


def test_a_name_with_a_plus_is_refused() -> None:
    model = ToyModel()
    model.name = "toy+toy"
    with pytest.raises(ValueError, match="wanted a name without"):
        registry.register_candidate(model)


def test_a_toy_filter_takes_part(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[FilterProblem] = []

    def brighter(problem: FilterProblem, estimate: Estimate) -> Estimate:
        seen.append(problem)
        return replace(estimate, plane_yxs=estimate.plane_yxs + np.float32(2.0))

    settings = preset_settings("fast", window_steps=20, device="cpu")
    noisy = field_of_cells(side=64).noisy
    plain = denoise(noisy, settings=settings).image
    monkeypatch.setitem(POST_FILTERS, "brighter", brighter)
    changed = denoise(noisy, settings=settings).image
    assert [one.held_out_yx.any() for one in seen] == [True]
    assert np.median(changed - plain) == pytest.approx(2.0, abs=0.2)
