"""A second result of a layer says what it differs in; a repeated run replaces one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.plugin.layers.source.scope import SLICE, STACK, VOLUME
from napari_inr_denoise.plugin.results.names import plain_name, with_words
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget


def test_words_are_added_within_the_brackets() -> None:
    name = with_words("a [b] [denoised]", "volume")
    assert name == "a [b] [denoised, volume]"
    assert (
        with_words(f"{name} [1]", "partial") == "a [b] [denoised, volume, partial] [1]"
    )
    assert with_words("renamed", "partial") == "renamed"


@pytest.mark.parametrize(
    "end", ["[denoised]", "[denoised, best, partial] [2]", "[preview]", ""]
)
def test_the_name_of_the_source_is_what_comes_before(end: str) -> None:
    assert plain_name(f"a [1] {end}".strip()) == "a [1]"


@pytest.fixture
def small(
    viewer: Any,
    widget: InrDenoiseWidget,
    monkeypatch: pytest.MonkeyPatch,
    tiny: DenoiseSettings,
) -> Any:
    """A stack of three small planes; two qualities are quick."""
    from napari_inr_denoise.core import settings as settings_module

    for name in ("fast", "best"):
        monkeypatch.setitem(settings_module.PRESETS, name, replace(tiny, preset=name))
    source = viewer.layers[0]
    source.data = np.asarray(source.data[:3, :32, :32])
    widget.preset.value, widget.scope.value = "fast", SLICE
    return source


def _run(viewer: Any, widget: InrDenoiseWidget, source: Any) -> Any:
    viewer.layers.selection.active = source
    widget.run()
    return widget.wait()


@pytest.mark.window
def test_results_that_differ_stay_and_say_in_what(
    viewer: Any, widget: InrDenoiseWidget, small: Any
) -> None:
    _run(viewer, widget, small)
    widget.preset.value = "best"
    _run(viewer, widget, small)
    viewer.dims.set_current_step(0, 0)
    _run(viewer, widget, small)
    widget.scope.value = STACK
    _run(viewer, widget, small)
    widget.scope.value = VOLUME
    _run(viewer, widget, small)
    names = [layer.name for layer in viewer.layers]
    assert names == [
        "noisy stack",
        "noisy stack [denoised]",
        "noisy stack [denoised, best]",
        "noisy stack [denoised, z 0, best]",
        "noisy stack [denoised, all planes, best]",
        "noisy stack [denoised, volume, best]",
    ]


@pytest.mark.window
def test_the_whole_image_after_a_region_of_it(
    viewer: Any, widget: InrDenoiseWidget, small: Any
) -> None:
    box = viewer.add_shapes([[[0, 0], [20, 20]]], scale=small.scale[1:])
    widget.region.value = box
    _run(viewer, widget, small)
    widget.region.value = None
    assert _run(viewer, widget, small).name == "noisy stack [denoised, whole]"
    small.data = np.array(small.data)
    third = _run(viewer, widget, small)
    assert third.name == "noisy stack [denoised, whole, other data]"


@pytest.mark.window
def test_a_run_on_other_pixels_is_no_repeat(
    viewer: Any, widget: InrDenoiseWidget, small: Any
) -> None:
    upper = np.zeros((32, 32), int)
    upper[:16] = 1
    place = {"scale": small.scale[1:], "units": small.units[1:]}
    widget.region.value = labels = viewer.add_labels(upper, **place)
    kept = [_run(viewer, widget, small)]
    labels.data[:, 16:] = 1  # painted in place
    kept.append(_run(viewer, widget, small))
    small.data = np.array(small.data)
    kept.append(_run(viewer, widget, small))
    repeated = _run(viewer, widget, small)
    assert kept.pop() not in viewer.layers
    assert [layer.name for layer in (*kept, repeated)] == [
        "noisy stack [denoised]",
        "noisy stack [denoised, other region]",
        "noisy stack [denoised, other data]",
    ]
    assert all(layer in viewer.layers for layer in kept)


@pytest.mark.window
def test_a_run_that_is_repeated_replaces_its_result(
    viewer: Any, widget: InrDenoiseWidget, small: Any
) -> None:
    first = _run(viewer, widget, small)
    kept = _run(viewer, widget, small)
    assert [layer.name for layer in viewer.layers] == [small.name, first.name]
    assert kept in viewer.layers
    assert first not in viewer.layers
    assert viewer.layers.selection.active == kept
    assert widget.results.title.value == kept.name
    kept.name = "mine"  # what the user has named stays
    _run(viewer, widget, small)
    assert [layer.name for layer in viewer.layers] == [
        small.name,
        "mine",
        "noisy stack [denoised]",
    ]
