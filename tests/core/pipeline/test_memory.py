from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from napari_inr_denoise.core.pipeline.memory import (
    ComputeBudget,
    concurrent_fits,
    concurrent_tiles,
    expected_memory_gb,
    tile_side,
)
from napari_inr_denoise.core.settings import PRESETS, preset_settings

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
LOST = RuntimeError("CUDA error: unspecified launch failure\nmore")


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("samples", [1, 3])
def test_a_tile_fits_into_the_memory_that_is_allowed(preset: str, samples: int) -> None:
    settings = preset_settings(preset, memory_gb=1.5)
    side = tile_side(settings, samples, CPU)
    assert 0.9 < expected_memory_gb(settings, samples, side**2, CPU) <= 1.5


def test_less_memory_makes_smaller_tiles_and_more_does_not_make_them_huge() -> None:
    sides = [
        tile_side(replace(PRESETS["auto"], memory_gb=allowed), 1, CPU)
        for allowed in (0.5, 1.0, 2.0, 1000.0)
    ]
    assert sides == sorted(sides)
    assert (sides[0], sides[-1]) == (0, 1024)


def test_as_many_tiles_at_once_as_there_are_threads_and_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fast = preset_settings("fast", memory_gb=2.0)
    for threads, pixels, wanted in (
        (1, 256**2, 1),
        (2, 256**2, 2),
        (64, 256**2, 4),
        (64, 1024**2, 2),
        (64, 4096**2, 1),
    ):
        monkeypatch.setattr(torch, "get_num_threads", lambda count=threads: count)
        assert concurrent_tiles(fast, 1, pixels, CPU) == wanted
        allowed = expected_memory_gb(fast, 1, wanted * pixels, CPU)
        assert wanted == 1 or allowed <= fast.memory_gb
    assert concurrent_tiles(replace(fast, memory_gb=0.5), 1, 256**2, CPU) == 1


@pytest.mark.parametrize(
    ("candidates", "device", "wanted"),
    [
        ("neighbourhood", "cpu", 4),
        ("neighbourhood+attention", "cpu", 2),
        ("siren", "cpu", 1),
        ("neighbourhood+siren-fine", "cpu", 1),
        ("neighbourhood", "mps", 1),
        ("siren", "cuda", 4),
    ],
)
def test_as_many_fits_at_once_as_leave_each_network_a_thread(
    monkeypatch: pytest.MonkeyPatch, candidates: str, device: str, wanted: int
) -> None:
    has = SimpleNamespace(total_memory=80 * 10**9)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: has)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    settings = preset_settings("fast", candidates=candidates, memory_gb=4.0)
    assert concurrent_fits(settings, 1, 256**2, torch.device(device)) == wanted
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert concurrent_fits(settings, 1, 256**2, torch.device(device)) == 1


@pytest.mark.parametrize(
    ("gigabytes", "side", "at_once"), [(80, 1024, 4), (8, 1024, 1), (1, 500, 1)]
)
def test_on_cuda_networks_are_counted_in_its_memory(
    monkeypatch: pytest.MonkeyPatch, gigabytes: int, side: int, at_once: int
) -> None:
    has = SimpleNamespace(total_memory=gigabytes * 10**9)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: has)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 16)
    best = preset_settings("best", memory_gb=2.0)
    assert tile_side(best, 1, CUDA) == side
    assert concurrent_tiles(best, 1, side**2, CUDA) == at_once
    assert expected_memory_gb(best, 1, at_once * side**2, CUDA) <= 2.0
    assert tile_side(best, 1, CPU) == 741


def test_batches_become_smaller_and_then_nothing_is_left() -> None:
    effort = ComputeBudget(PRESETS["auto"], CPU)
    assert effort.relieved(MemoryError())
    assert effort.settings.neighbourhood.batch_size == (
        PRESETS["auto"].neighbourhood.batch_size // 4
    )
    assert effort.settings.attention.batch_size == 1
    assert not effort.relieved(MemoryError())
    assert len(effort.notes) == 1


def test_of_several_at_once_one_by_one_comes_first() -> None:
    effort = ComputeBudget(PRESETS["auto"], CPU)
    assert effort.relieved(MemoryError(), at_once=2)
    assert effort.settings == PRESETS["auto"]
    assert effort.relieved(MemoryError())
    assert effort.settings != PRESETS["auto"]
    assert len(effort.notes) == 2


def test_a_gpu_gives_way_to_the_cpu_when_small_batches_do_not_help(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    effort, error = ComputeBudget(PRESETS["fast"], CUDA), torch.OutOfMemoryError("")
    assert effort.relieved(error)
    assert effort.device == CUDA
    assert effort.relieved(error)
    assert effort.device == CPU
    assert not effort.relieved(error)
    assert effort.notes[-1] == "Memory ran out (cuda): the run continued on the CPU."


def test_a_lost_gpu_is_left_at_once_and_a_mistake_is_none() -> None:
    effort = ComputeBudget(PRESETS["fast"], CUDA)
    assert not effort.relieved(RuntimeError("shapes do not fit"))
    assert effort.relieved(LOST)
    assert effort.device == CPU
    assert effort.settings == PRESETS["fast"]
    assert effort.notes == (
        "The GPU was lost (CUDA error: unspecified launch failure): the run continued "
        "on the CPU.",
    )
    assert not effort.relieved(LOST)
