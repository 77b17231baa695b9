"""How long an action takes, also where the thread is held up."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from napari_inr_denoise.core.preflight import timing


def test_an_action_is_timed_once_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock comes a second after the last."""
    ticks, calls = iter(range(100)), list[int]()
    clock = SimpleNamespace(perf_counter=lambda: float(next(ticks)))
    monkeypatch.setattr(timing, "time", clock)
    seconds = timing._seconds(lambda: calls.append(1), torch.device("cpu"))
    assert len(calls) == 2  # the first call is not timed
    assert seconds == 2.0
