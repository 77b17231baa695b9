"""Nothing is cut off in a narrow panel, in any of its states."""

from __future__ import annotations

from typing import Any

import pytest
from napari.settings import get_settings

from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until
from tests.plugin.cut_off import cut_off
from tests.plugin.states import STATES, advanced, back, sized, table

pytestmark = pytest.mark.window
NARROW, WIDE = 300, 450
_MOST_ROUNDS = 20
HEIGHTS = (700, 450)
"""Without and with a bar to scroll, which takes some of the width."""


def test_nothing_is_cut_off_in_any_state(viewer: Any, widget: InrDenoiseWidget) -> None:
    found = []
    for name, show in STATES.items():
        show(viewer, widget)
        for height in HEIGHTS:
            sized(widget, NARROW, height)
            assert widget.width() == NARROW
            found += [f"{name}, {height} pixels high: {one}" for one in cut_off(widget)]
        back(widget)
    assert found == []


def test_nothing_is_cut_off_at_another_strength(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    table(viewer, widget)
    widget.strength.value = -0.35
    wait_until(lambda: "strength -0.35" in widget.results.chips.texts)
    for width in (NARROW, WIDE):
        for height in HEIGHTS:
            sized(widget, width, height)
            assert cut_off(widget) == []


@pytest.mark.parametrize("size", [9, 12, 18])
def test_nothing_is_cut_off_with_larger_letters(
    viewer: Any, widget: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(get_settings().appearance, "font_size", size)
    process_events(0.1)
    for name, show in STATES.items():
        show(viewer, widget)
        for _ in range(_MOST_ROUNDS):  # texts that wrap take some rounds
            process_events(0.1)
            # A table that is too wide has a bar to scroll.
            found = [one for one in cut_off(widget) if "PlaneTable" not in one]
            if not found:
                break
        assert found == [], name
        assert widget.results.table.fontInfo().pointSize() == size
        back(widget)


@pytest.mark.parametrize("spoiled", ["button", "label", "row", "table", "plot"])
def test_what_is_cut_off_is_found(
    viewer: Any, widget: InrDenoiseWidget, spoiled: str
) -> None:
    (table if spoiled == "table" else advanced)(viewer, widget)
    sized(widget, NARROW, HEIGHTS[0])
    inputs = widget.inputs
    if spoiled == "button":
        inputs.view_button.setFixedWidth(20)
    elif spoiled == "label":
        inputs.noise_label.setFixedHeight(10)
    elif spoiled == "row":
        inputs.layer.native.setMinimumWidth(NARROW)
    elif spoiled == "table":
        widget.results.table.horizontalHeader().setMinimumSectionSize(90)
    else:
        inputs.noise.plot.setFixedHeight(30)
    process_events(0.1)
    assert cut_off(widget)
