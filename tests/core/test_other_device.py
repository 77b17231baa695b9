"""The fits on a device that forgives less than the CPU: what Apple's GPU would refuse.

No GPU is needed; see `other_device`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_inr_denoise import denoise
from napari_inr_denoise.core.candidates import shared as stack
from napari_inr_denoise.core.candidates.attention import AttentionModel
from napari_inr_denoise.core.candidates.neighbourhood import NeighbourhoodModel
from napari_inr_denoise.core.candidates.siren import _Fit
from napari_inr_denoise.core.candidates.training import TrainingTile
from napari_inr_denoise.core.compute import devices
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.noise.estimate import examine_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.output import progress as run_steps
from napari_inr_denoise.core.pipeline.strategies import plane_strategies
from napari_inr_denoise.core.sampling.coordinates import _lengths
from napari_inr_denoise.core.sampling.normalization import CommonScale
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from tests.core.other_device import DEVICE, other_device

SMALL = {
    "width": 32,
    "depth": 2,
    "batch_size": 256,
    "max_steps": 4,
    "judge_every": 2,
    "window_width": 16,
    "window_radius": 3,
    "window_steps": 4,
    "attention_width": 8,
    "attention_steps": 4,
    "n_augmentations": 2,
}


@pytest.fixture(autouse=True)
def _device(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    names = [str(DEVICE), "cpu"]
    monkeypatch.setattr(devices, "available_devices", lambda: names)
    for module in (run_steps, stack):
        # The device stands in for one in its own thread alone.
        monkeypatch.setattr(module, "run_in_thread", _at_once)
    monkeypatch.setattr(plane_strategies, "map_ordered", _one_by_one)
    _lengths.cache_clear()
    yield
    _lengths.cache_clear()


def _at_once(work: Callable[[], object]) -> Generator[None, None, object]:
    yield
    return work()


def _one_by_one(
    jobs: Iterable[Generator[None, None, object]], _: int
) -> Generator[object]:
    for job in jobs:
        for _ in (done := GeneratorResult(job)):
            pass
        yield done.result


def _noisy(correlated: bool = False, samples: int = 3) -> np.ndarray:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:40, :48]
    clean = 40 + 30 * np.sin(x / 6) * np.cos(y / 9)
    noise = rng.normal(0, 6, (samples, 40, 48))
    if correlated:
        noise = (noise + np.roll(noise, 1, 1) + np.roll(noise, 1, 2)) / 1.4
    return (clean + noise).astype(np.float32)


@pytest.mark.parametrize(
    ("preset", "changes", "axes", "correlated"),
    [
        ("fast", {}, "ZYX", True),
        ("auto", {}, "ZYX", False),
        ("auto", {"candidates": "neighbourhood+attention+siren"}, "CYX", False),
        ("auto", {}, "CYX", True),
        ("auto", {}, "SYX", False),
        ("paper", {}, "CYX", False),
        ("paper", {"mode": "volume"}, "ZYX", True),
    ],
)
def test_a_fit_runs_there_and_gives_what_the_cpu_gives(
    preset: str, changes: dict[str, str], axes: str, correlated: bool
) -> None:
    noisy = _noisy(correlated, samples=2 if "C" in axes else 3)
    settings = preset_settings(preset, device="cpu", **{**SMALL, **changes})
    there = replace(settings, device=str(DEVICE))
    usual = denoise(noisy, axes=axes, settings=settings)
    with other_device() as waits:
        found = denoise(noisy, axes=axes, settings=there)
    assert waits["aten._to_copy.default"] > 0
    off = found.image - usual.image
    # Other random numbers and other roundings, but the same method.
    assert np.sqrt(np.mean(off**2)) < 3.0
    (file,) = found.report.files
    assert file.notes == usual.report.files[0].notes


def _problem() -> NoisyPlane:
    plane, valid = _noisy()[0][..., None].astype(np.float64), np.ones((40, 48), bool)
    noise, curves = examine_plane(plane, valid)
    return NoisyPlane(plane, valid, valid, noise, (1.0, 1.0), curves)


def _fits(settings: DenoiseSettings) -> dict[str, Callable[[], None]]:
    problem, every = _problem(), np.ones((40, 48), bool)
    scale = CommonScale.of([problem])
    tile = TrainingTile.alone(problem, every)
    siren = _Fit(problem, settings, DEVICE)
    return {
        "neighbourhood": NeighbourhoodModel()
        .trainer([tile], scale, settings, DEVICE, 20)
        .advance,
        "attention": AttentionModel()
        .trainer([tile, tile], scale, settings, DEVICE, 20)
        .advance,
        "siren": lambda: siren.advance(1),
    }


@pytest.mark.parametrize("name", ["neighbourhood", "attention", "siren"])
def test_the_host_waits_for_nothing_in_a_step(name: str) -> None:
    with other_device() as waits:
        advance = _fits(preset_settings("auto", device="cpu", **SMALL))[name]
        advance()
        waits.clear()
        for _ in range(3):
            advance()
        assert +waits == {}


def test_an_evaluation_waits_for_the_plane_and_one_number() -> None:
    with other_device() as waits:
        fit = _Fit(_problem(), preset_settings("paper", device="cpu", **SMALL), DEVICE)
        fit.evaluate()
        waits.clear()
        fit.evaluate()
        assert +waits == {
            "aten._to_copy.default": 1,
            "aten._local_scalar_dense.default": 1,
        }


def test_it_has_no_64_bits_and_takes_nothing_from_elsewhere() -> None:
    with other_device() as waits:
        values = torch.ones(3).to(DEVICE)
        with pytest.raises(TypeError, match=r"no torch\.float64"):
            values.double()
        with pytest.raises(RuntimeError, match="two devices"):
            values + torch.ones(3)
        with pytest.raises(RuntimeError, match="another device"):
            torch.randint(3, (2,), generator=torch.Generator(), device=DEVICE)
        assert +waits == {"aten._to_copy.default": 1}
        assert float((2 * values + 1).sum()) == 9
        assert waits["aten._local_scalar_dense.default"] == 1
