"""The widget without a mouse: every control by Tab, and what each one is for."""

from __future__ import annotations

from typing import Any

import pytest
from magicgui.widgets import Container, Label, PushButton
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget

from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import wait_until
from tests.plugin.conftest import PLUGIN

pytestmark = pytest.mark.window


def _controls(form: Container) -> list[Any]:
    """Return what can be operated, in rows of rows, from top to bottom."""
    found: list[Any] = []
    for one in form:
        if isinstance(one, Container):
            found += _controls(one)
        elif not isinstance(one, Label):
            found.append(one)
    return found


def _tab_stops(form: InrDenoiseWidget) -> list[QWidget]:
    """Return what Tab comes by within the widget, in this order."""
    stops, one = [], form.native
    while (one := one.nextInFocusChain()) is not form.native:
        by_tab = one.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
        if by_tab and form.native.isAncestorOf(one):
            stops.append(one)
    return stops


def test_tab_comes_by_every_control_from_top_to_bottom(
    widget: InrDenoiseWidget,
) -> None:
    stops = _tab_stops(widget)
    places = []
    for control in _controls(widget):
        if control is widget.run_bar.progress:
            continue
        own = [
            number
            for number, stop in enumerate(stops)
            if stop is control.native or control.native.isAncestorOf(stop)
        ]
        assert own, control.name or control.label
        places.append(own[0])
    assert places == sorted(places)
    assert widget.results.table in stops


def test_every_control_says_what_it_is_for(widget: InrDenoiseWidget) -> None:
    for control in _controls(widget):
        assert control.tooltip, control.label
    assert widget.results.table.toolTip()


def test_so_does_every_control_for_folders(viewer: Any) -> None:
    _, folder = viewer.window.add_plugin_dock_widget(PLUGIN, "Denoise a folder")
    wait_until(lambda: len(folder.device.choices) > 1)
    buttons = (folder.run_button, folder.stop_button, folder.load_button)
    for control in (*folder, *buttons):
        assert control.tooltip or isinstance(control, Container), control.label
    assert folder.source.tooltip
    assert folder.out.tooltip


def test_no_two_buttons_have_the_same_letter(widget: InrDenoiseWidget) -> None:
    texts = [one.text for one in _controls(widget) if isinstance(one, PushButton)]
    letters = [text[text.index("&") + 1].lower() for text in texts]
    assert len(set(letters)) == len(letters) == 11
