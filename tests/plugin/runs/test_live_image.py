"""What is handed to the window while a run is at work."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from napari.components import ViewerModel

from napari_inr_denoise.image.axes import planes_of
from napari_inr_denoise.plugin.layers.source.layer_source import take_source
from napari_inr_denoise.plugin.layers.source.scope import STACK
from napari_inr_denoise.plugin.runs.live_image import LiveImage


def _live(data: np.ndarray, **keywords: Any) -> tuple[LiveImage, list[Any]]:
    """Return the live image of a layer, and a step at each of its planes."""
    viewer = ViewerModel()
    layer = viewer.add_image(data, **keywords)
    source = take_source(layer, viewer.dims, STACK)
    out = data.astype(np.float32)
    steps = [
        SimpleNamespace(plane=plane, so_far=lambda _=None: out)
        for plane in planes_of(source.axes, data.shape)
    ]
    return LiveImage(source), steps


def test_without_colours_it_is_the_runs_own_array() -> None:
    live, (step, *_) = _live(np.zeros((3, 8, 8), np.uint8))
    live.note(step)
    assert live.at(step) is step.so_far()


def test_colours_are_whole_numbers_in_one_array() -> None:
    live, (first, second, third) = _live(np.zeros((3, 8, 8, 3), np.uint8), rgb=True)
    live.note(first)
    shown = live.at(first)
    assert shown.dtype == np.uint8
    out = first.so_far()
    out[:] = 200.4
    for step in (first, second):  # the third plane was not at work
        live.note(step)
    assert live.at(second) is shown
    assert (shown[:2] == 200).all()
    assert (shown[2] == 0).all()
    live.note(third)
    live.at(third)
    assert (shown == 200).all()


def test_the_plane_in_view_is_asked_for_and_converted() -> None:
    live, (first, *_) = _live(np.zeros((3, 8, 8, 3), np.uint8), rgb=True)
    out, asked = first.so_far(), []

    def so_far(viewed: object) -> Any:
        asked.append(viewed)
        out[2] = 7.0  # as a volume draws the plane in view
        return out

    first.so_far = so_far
    live.at(first)
    live.look_at({"Z": 2})
    assert (live.at(first)[2] == 7).all()
    live.look_at({"Z": 3})  # the viewer goes on to a plane of another layer
    assert (live.at(first)[2] == 7).all()
    assert asked == [None, {"Z": 2}, {"Z": 3}]
