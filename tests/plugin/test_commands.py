"""Layers > Filter > INR Denoise: a run by one click, with the widget's own Run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.utils._proxies import PublicOnlyProxy

from napari_inr_denoise.plugin import commands
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.source.scope import (
    SLICE,
    STACK,
    VOLUME,
    mode_of,
)
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until
from tests.plugin.conftest import PLUGIN, napari_app

pytestmark = pytest.mark.window


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The notifications of the commands."""
    texts: list[str] = []
    monkeypatch.setattr(commands, "show_warning", texts.append)
    return texts


@pytest.mark.parametrize(
    ("command", "scope"),
    [
        (commands.slice_fast, SLICE),
        (commands.slice_auto, SLICE),
        (commands.planes_fast, STACK),
        (commands.planes_auto, STACK),
        (commands.volume, VOLUME),
    ],
)
def test_a_command_runs_the_selected_layer_in_the_open_widget(
    viewer: Any,
    widget: InrDenoiseWidget,
    told: list[str],
    command: Callable[[Any], None],
    scope: str,
) -> None:
    widget.preset.value = "paper"
    whole = viewer.layers[0]
    alike = {name: getattr(whole, name) for name in ("scale", "units", "axis_labels")}
    chosen = viewer.add_image(whole.data[:3, :32, :32], name="chosen", **alike)
    viewer.dims.set_current_step(0, 1)
    widget.layer.value = whole
    viewer.layers.selection.active = chosen
    command(viewer)
    assert widget.running
    assert commands.shown_widget(viewer) is widget
    # A run never changes what is chosen for the next one.
    assert (widget.scope.value, widget.preset.value) == (SLICE, "paper")
    made = widget.wait()
    assert made is not None
    assert made.metadata[REPORT_KEY]["settings"]["mode"] == mode_of(scope)
    assert made == viewer.layers["chosen [denoised]"]
    assert made.data.shape == (1 if scope == SLICE else 3, 32, 32)
    assert told == []


def test_a_command_opens_the_widget_where_the_menu_looks_for_it(viewer: Any) -> None:
    commands.open_widget(PublicOnlyProxy(viewer))
    widget = InrDenoiseWidget.docked_in(viewer)
    assert widget is not None
    # An older napari names the entry by its title.
    known = napari_app().commands
    entry = f"{PLUGIN}.widget"
    toggle = known[entry if entry in known else f"{PLUGIN}:INR Denoise"]
    dock = widget.native.parent()
    toggle.run_injected()  # as a click on the menu's entry: hides it
    assert not dock.isVisible()
    commands.open_widget(viewer)
    assert dock.isVisible()
    assert commands.shown_widget(viewer) is widget
    wait_until(lambda: len(widget.device.choices) > 1)


def test_a_widget_that_was_closed_is_not_used_again(viewer: Any) -> None:
    first = commands.shown_widget(viewer)
    wait_until(lambda: len(first.device.choices) > 1)
    viewer.window.remove_dock_widget(first.native)
    process_events(0.1)
    second = commands.shown_widget(viewer)
    assert second is not first
    wait_until(lambda: len(second.device.choices) > 1)


@pytest.mark.usefixtures("endless")
def test_while_a_run_is_at_work_it_is_left_alone(
    viewer: Any, widget: InrDenoiseWidget, told: list[str]
) -> None:
    commands.slice_fast(viewer)
    commands.planes_auto(viewer)
    assert "is running" in told[0]
    assert widget.scope.value == SLICE
    widget.stop()
    widget.wait()


def test_without_a_selected_image_a_sentence_comes(
    viewer: Any, told: list[str]
) -> None:
    commands.slice_fast(viewer)
    viewer.add_points(np.zeros((1, 2)), name="spots")
    commands.slice_fast(viewer)
    for name in "ab":
        viewer.add_image(np.zeros((8, 8)), name=name, metadata={REPORT_KEY: {}})
    viewer.layers.select_all()
    commands.slice_fast(viewer)
    assert told[0] == (
        "Select image layers in the list of layers, then choose this again."
    )
    assert told[1] == f"Got spots, wanted noisy images. {told[0]}"
    assert told[2] == f"Got a, b, spots, wanted noisy images. {told[0]}"
    assert len(told) == 3
    assert InrDenoiseWidget.docked_in(viewer) is None


def test_selected_layers_are_run_one_after_the_other(
    viewer: Any, told: list[str]
) -> None:
    noisy = np.random.default_rng(0).normal(100, 9, (2, 40, 40))
    layers = [viewer.add_image(noisy + k, name=name) for k, name in enumerate("abc")]
    spots = viewer.add_points(np.zeros((1, 3)), name="spots")
    result = viewer.add_image(noisy, name="result", metadata={REPORT_KEY: {}})
    viewer.layers.selection = {layers[0], layers[2], spots, result}
    commands.planes_fast(PublicOnlyProxy(viewer))
    widget = commands.shown_widget(viewer)
    last = widget.wait()
    wait_until(lambda: len(widget.device.choices) > 1)
    names = [layer.name for layer in viewer.layers]
    assert names[5:] == ["a [denoised]", "c [denoised]"]
    assert last == viewer.layers["c [denoised]"]
    assert widget.status_label.value.startswith("2 of 2 layers denoised")
    assert told == []


def test_of_several_those_are_named_that_are_no_volume(
    viewer: Any, told: list[str]
) -> None:
    noisy = np.random.default_rng(0).normal(100, 9, (3, 32, 32))
    viewer.add_image(noisy, name="stack")
    viewer.add_image(noisy[0], name="flat")
    viewer.layers.select_all()
    commands.volume(viewer)
    widget = commands.shown_widget(viewer)
    widget.wait()
    wait_until(lambda: len(widget.device.choices) > 1)
    assert "stack [denoised]" in viewer.layers
    words = widget.status_label.value
    assert words.startswith("1 of 2 layers denoised.\nflat: ")
    assert told == []


def test_what_cannot_run_is_said(
    viewer: Any, widget: InrDenoiseWidget, told: list[str]
) -> None:
    viewer.add_image(np.zeros((8, 8)), name="flat")
    commands.volume(viewer)
    assert not widget.running
    assert told == [widget.status_label.value]
    assert "Z" in told[0]


def test_the_folder_is_a_tab_of_the_same_panel(viewer: Any) -> None:
    commands.open_folder(viewer)
    widget = commands.shown_widget(viewer)
    assert widget.folder.run_button.isVisible()
    wait_until(lambda: len(widget.device.choices) > 1)
