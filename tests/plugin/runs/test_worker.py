"""What a run shows of itself, and how often."""

from __future__ import annotations

import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.core import denoise
from napari_inr_denoise.image.axes import planes_of
from napari_inr_denoise.plugin.layers.source.layer_source import take_source
from napari_inr_denoise.plugin.layers.source.scope import SLICE
from napari_inr_denoise.plugin.runs.worker import SHOW_EVERY_S, DenoiseWorker

COUNT, STEP_S = 100, 0.01


def test_steps_are_shown_several_times_a_second_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = np.zeros((8, 8), np.float32)
    (plane,) = planes_of("YX", data.shape)

    def steps(*_: object) -> Iterator[Any]:
        for number in range(COUNT):
            time.sleep(STEP_S)
            yield SimpleNamespace(
                plane=plane,
                fit=SimpleNamespace(step=number),
                so_far=lambda _: data,
                number=number,
            )

    monkeypatch.setattr(denoise, "denoise_steps", steps)
    viewer = ViewerModel()
    source = take_source(viewer.add_image(data), viewer.dims, SLICE)
    worker = DenoiseWorker(source, DenoiseSettings())
    shown: list[int] = []
    drawn: list[int] = []
    worker.stepped.connect(lambda step: shown.append(step.number))
    worker.drawn.connect(lambda step, _: drawn.append(step.number))
    started = time.monotonic()
    worker.work()
    most = (time.monotonic() - started) / SHOW_EVERY_S + 2
    # No image of the first, which is not trained; each other step is told once.
    assert shown[0] == 0
    assert {*shown[1:], *drawn} >= {COUNT - 1}
    assert len(shown) <= 2
    assert not {*shown} & {*drawn}
    assert 2 <= len(drawn) <= most
