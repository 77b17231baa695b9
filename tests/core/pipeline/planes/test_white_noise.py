"""Planes that are denoised where their noise is white."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.compute.threads import (
    restored_thread_count,
    set_thread_count,
)
from napari_inr_denoise.core.denoise import denoise, denoise_steps
from napari_inr_denoise.core.ensemble.plane_result import FitResult, FitSteps
from napari_inr_denoise.core.noise.measure import measure_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.noise.white.white_plane import WhitePlane
from napari_inr_denoise.core.noise.white.whitened import whitened
from napari_inr_denoise.core.pipeline import plan as plan_module
from napari_inr_denoise.core.pipeline.planes import white_noise
from napari_inr_denoise.core.pipeline.planes.plane import plane_steps
from napari_inr_denoise.core.preflight import measured_run
from napari_inr_denoise.core.preflight.estimate import preflight
from napari_inr_denoise.core.preflight.timing import Measuring, OtherPace, Pace
from napari_inr_denoise.core.report.warning import PlaneWarning
from napari_inr_denoise.core.sampling.stack.series import SeriesTile
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from tests.phantoms import Array, camera, deconvolved, enlarged, tissue

SIDE = 240
CPU = torch.device("cpu")


def _small(preset: str = "fast", **changes: Any) -> DenoiseSettings:
    small = {"window_steps": 100, "window_width": 48, "device": "cpu"}
    return preset_settings(preset, **small | changes)


@cache
def _planes() -> tuple[Array, Array]:
    """Return an enlarged plane, without noise and with it."""
    clean = 60 * tissue(SIDE // 2) + 2
    return enlarged(clean), enlarged(camera(clean))


def _end(steps: FitSteps) -> FitResult:
    for _ in (run := GeneratorResult(steps)):
        pass
    return run.result


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


@cache
def _result() -> FitResult:
    noisy = _planes()[1][..., None]
    problem = measure_plane(noisy, np.ones(noisy.shape[:2], bool))
    return _end(white_noise.steps_in_white_noise(problem, _small(), CPU))


def test_the_coarse_grid_has_the_smaller_error() -> None:
    clean, noisy = _planes()
    problem = measure_plane(noisy[..., None], np.ones(noisy.shape, bool))
    own = _end(plane_steps(problem, _small(), CPU, previews=False))
    found = _result()
    assert found.plane_yxs.shape == own.plane_yxs.shape
    errors = [_rms(one.plane_yxs[..., 0] - clean) for one in (found, own)]
    assert errors[0] < 0.97 * errors[1]


def test_the_error_that_is_told_is_the_true_one() -> None:
    clean, _ = _planes()
    found = _result()
    error = np.abs(found.plane_yxs[..., 0] - clean)
    assert found.uncertainty_yxs is not None
    std = found.uncertainty_yxs[..., 0]
    assert 0.6 < np.mean(error <= std) < 0.9
    assert np.mean(error <= 2 * std) > 0.88
    assert found.quality is not None
    assert found.quality.held_out_error == pytest.approx(_rms(error), rel=0.3)
    assert PlaneWarning.CORRELATED_NOISE in found.quality.warnings


def test_a_caller_who_stops_keeps_the_best_so_far() -> None:
    clean, noisy = _planes()
    steps = denoise_steps(noisy, settings=_small())
    for step in steps:
        if step.progress > 0.5:
            break
    steps.close()
    assert step.result.plane_yxs.shape == (SIDE, SIDE, 1)
    assert _rms(step.result.plane_yxs[..., 0] - clean) < 0.8 * _rms(noisy - clean)


def test_the_published_method_stays_on_its_own_grid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(white_noise, "whitened")
    settings = preset_settings("paper", width=16, depth=2, max_steps=3, device="cpu")
    assert denoise(_planes()[1], settings=settings).image.shape == (SIDE, SIDE)


def test_the_tiles_of_a_plane_are_resampled_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Networks that tiles share would see correlated noise."""
    monkeypatch.setattr(plan_module, "tile_side", lambda *_: SIDE)
    clean, noisy = (np.pad(one, ((0, 280), (0, 0)), "reflect") for one in _planes())
    problem = measure_plane(noisy[:SIDE, :, None], np.ones((SIDE, SIDE), bool))
    assert whitened(problem) is not None
    grids = []

    def counted(tile: NoisyPlane) -> WhitePlane | None:
        grids.append(whitened(tile))
        return grids[-1]

    monkeypatch.setattr(white_noise, "whitened", counted)
    result = denoise(noisy, settings=_small(window_steps=30))
    assert len(grids) == 2
    assert None not in grids
    assert _rms(result.image - clean) < 0.6 * _rms(noisy - clean)


def test_the_time_is_that_of_the_coarse_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []

    def paces(sample: SeriesTile, *_: object) -> Measuring[dict[str, Pace]]:
        asked.append(sample.problem.plane_yxs.shape)
        yield
        return {"neighbourhood": Pace(1.0, 0.0)}

    monkeypatch.setattr(measured_run, "network_paces", paces)
    monkeypatch.setattr(measured_run, "other_pace", lambda *_: OtherPace())
    noisy = _planes()[1]
    rough = noisy + np.random.default_rng(0).normal(0, 4, noisy.shape)
    for plane in (noisy, rough):
        assert preflight(plane, settings=_small()).seconds > 0
    assert asked == [(96, 96, 1), (SIDE, SIDE, 1)]


def test_the_number_of_threads_does_not_matter() -> None:
    found = []
    for count in (1, 2):
        with restored_thread_count():
            set_thread_count(count)
            result = denoise(_planes()[1], settings=_small(window_steps=20))
        found.append(result.image.tobytes())
    assert found[0] == found[1]


def test_noise_that_oscillates_is_removed() -> None:
    """On its own grid, a network is told the noise by pixels outside its blind spot."""
    clean, noisy = (
        deconvolved(one)
        for one in (_planes()[0][:96, :96], camera(_planes()[0][:96, :96]))
    )
    problem = measure_plane(noisy[..., None], np.ones(noisy.shape, bool))
    own = _end(plane_steps(problem, _small(), CPU, previews=False))
    found = _end(white_noise.steps_in_white_noise(problem, _small(), CPU))
    error, usual = (_rms(one.plane_yxs[..., 0] - clean) for one in (found, own))
    assert error < 0.75 * usual
    assert found.quality is not None
    assert found.quality.held_out_error == pytest.approx(error, rel=0.6)
    assert PlaneWarning.CORRELATED_NOISE in found.quality.warnings
    assert found.uncertainty_yxs is not None
    inside = np.abs(found.plane_yxs[..., 0] - clean) <= found.uncertainty_yxs[..., 0]
    assert 0.55 < inside.mean() < 0.95
