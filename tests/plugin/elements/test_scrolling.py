"""A column that scrolls, and its controls under the mouse wheel."""

from __future__ import annotations

import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_inr_denoise.plugin.elements.scrolling import ScrollingColumn
from tests.conftest import process_events

pytestmark = pytest.mark.window


def _takes_wheel(control: QWidget) -> bool:
    """Return whether a control keeps a turn of the wheel; else what is around gets it.

    Qt passes on only what comes from a real mouse.
    """
    at = control.rect().center()
    event = QWheelEvent(
        QPointF(at),
        QPointF(control.mapToGlobal(at)),
        QPoint(),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(control, event)
    return event.isAccepted()


@pytest.mark.usefixtures("viewer")
def test_the_wheel_scrolls_and_changes_no_control() -> None:
    choice, number, slider = QComboBox(), QSpinBox(), QSlider()
    choice.addItems(["a", "b", "c"])
    column, tall = QWidget(), QWidget()
    tall.setMinimumHeight(2000)
    layout = QVBoxLayout(column)
    for part in (choice, number, slider, tall):
        layout.addWidget(part)
    area = ScrollingColumn(column)
    area.show()
    process_events(0.05)
    for control in (choice, number, slider):
        control.setFocus()
        assert not _takes_wheel(control)
    viewport = area.viewport()
    assert viewport is not None
    assert _takes_wheel(viewport)
    assert (choice.currentIndex(), number.value(), slider.value()) == (0, 0, 0)
    area.close()
