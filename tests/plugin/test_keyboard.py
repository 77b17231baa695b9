"""The panel without a mouse, and for screen readers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QScrollBar,
    QTableView,
    QWidget,
)

from napari_inr_denoise.plugin.layers.source.scope import STACK
from napari_inr_denoise.plugin.results.split_line import canvas_of
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until
from tests.plugin.conftest import PLUGIN

pytestmark = pytest.mark.window
OPERATED = (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QTableView,
)


@pytest.fixture
def full(viewer: Any, widget: InrDenoiseWidget) -> InrDenoiseWidget:
    """The panel with a result, and everything unfolded."""
    viewer.layers[0].data = viewer.layers[0].data[:3, :32, :32]
    widget.scope.value = STACK
    widget.run()
    wait_until(lambda: not widget.running)
    widget.inputs.advanced.unfolded = widget.results.planes.unfolded = True
    widget.inputs.axes.edit_button.setChecked(True)
    process_events(0.1)
    return widget


def _controls(panel: QWidget) -> list[QWidget]:
    """Return what can be operated on the tab for images, without parts of others."""
    page = panel.tabs.widget(0)
    found = [one for one in page.findChildren(QWidget) if isinstance(one, OPERATED)]
    return [
        one
        for one in found
        if one.isVisible()
        and not isinstance(one, QScrollBar)
        and not isinstance(one.parent(), QTableView | QComboBox)
    ]


def _tab_stops(panel: QWidget) -> list[QWidget]:
    """Return what Tab comes by within the panel, in this order."""
    stops, one = [], panel
    while (one := one.nextInFocusChain()) is not panel:
        by_tab = one.focusPolicy().value & Qt.FocusPolicy.TabFocus.value
        if by_tab and panel.isAncestorOf(one):
            stops.append(one)
    return stops


def test_tab_comes_by_every_control_from_top_to_bottom(
    full: InrDenoiseWidget,
) -> None:
    stops = _tab_stops(full)
    controls = _controls(full)
    assert all(one in stops for one in controls)
    shown = [one for one in stops if one in controls]
    tops = [one.mapTo(full, one.rect().topLeft()).y() for one in shown]
    # Controls side by side differ by some pixels.
    assert all(later > earlier - 12 for earlier, later in pairwise(tops))


def test_what_is_folded_is_passed_over(widget: InrDenoiseWidget) -> None:
    assert not widget.seed.native.isVisibleTo(widget)
    widget.inputs.advanced.unfolded = True
    assert widget.seed.native.isVisibleTo(widget)


def test_every_control_has_a_name_and_says_what_it_is_for(
    full: InrDenoiseWidget,
) -> None:
    for control in _controls(full):
        name = control.accessibleName() or getattr(control, "text", str)()
        assert name, control
        told = control.toolTip() or control.parentWidget().toolTip()
        assert told, name


def test_so_has_every_control_for_folders(widget: InrDenoiseWidget) -> None:
    widget.tabs.setCurrentIndex(1)
    widget.folder.advanced.unfolded = True
    page = widget.tabs.widget(1)
    for control in page.findChildren(QAbstractButton):
        if control.isVisible():
            assert control.accessibleName() or control.text()


def test_no_shortcut_collides_with_those_of_the_menus(full: InrDenoiseWidget) -> None:
    texts = [one.text() for one in full.findChildren(QAbstractButton)]
    texts += [one.text() for one in full.findChildren(QLabel)]
    texts += [one.text() for one in full.menu.menu.actions()]
    assert not [text for text in texts if "&" in text]


def test_warnings_have_a_sign_and_words(full: InrDenoiseWidget) -> None:
    chips = full.results.chips
    for text in chips.texts:
        assert len(text.strip()) > 2
    kinds = {
        label.text(): label.property("role") for label in chips.findChildren(QLabel)
    }
    assert all(
        text.startswith("\u26a0 ") == (role == "warning")
        for text, role in kinds.items()
    )


def _press(canvas: QWidget, kind: QEvent.Type, *, repeats: bool = False) -> None:
    plain = Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(canvas, QKeyEvent(kind, Qt.Key.Key_N, plain, "n", repeats))
    process_events(0.02)


def test_n_held_on_the_canvas_shows_the_noisy_image(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    widget.run()
    wait_until(lambda: not widget.running)
    noisy, result = viewer.layers
    noisy.visible = False
    canvas = canvas_of(widget)
    assert canvas is not None
    down, up = QEvent.Type.KeyPress, QEvent.Type.KeyRelease
    _press(canvas, down)
    for _ in range(3):  # a key that is held repeats
        _press(canvas, up, repeats=True)
        _press(canvas, down, repeats=True)
        assert (noisy.visible, result.visible) == (True, False)
    _press(canvas, up)
    wait_until(lambda: result.visible)
    assert not noisy.visible


def test_the_key_is_left_to_the_next_panel(
    viewer: Any, bare_widget: InrDenoiseWidget
) -> None:
    (key,) = viewer.keymap
    shown = viewer.keymap[key]
    viewer.window.remove_dock_widget(bare_widget.native)
    assert key not in viewer.keymap
    viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    assert viewer.keymap[key] != shown
