from __future__ import annotations

import pytest
import torch

from napari_inr_denoise.core.compute import devices


def test_auto_takes_what_there_is() -> None:
    assert str(devices.pick_device("auto")) == devices.available_devices()[0]


def test_the_cpu_is_always_there_and_named() -> None:
    assert devices.available_devices()[-1] == "cpu"
    assert devices.describe_device(devices.pick_device("cpu")).startswith("CPU (")


def test_a_gpu_is_preferred_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "H100")
    assert devices.available_devices() == ["cuda", "cuda:0", "cuda:1", "cpu"]
    chosen = devices.pick_device("auto")
    assert devices.describe_device(chosen) == "GPU (H100)"
    assert devices.pick_device("cuda:1").index == 1
    with pytest.raises(ValueError, match="counted from cuda:0"):
        devices.pick_device("cuda:2")


def test_the_peak_memory_is_plausible() -> None:
    peak = devices.peak_memory_mb(torch.device("cpu"))
    assert peak is None or 10 < peak < 1e6
