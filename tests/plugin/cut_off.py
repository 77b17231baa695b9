"""What of a panel cannot be read: texts that are cut off, parts out of sight."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from qtpy.QtCore import QRect
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QScrollBar,
    QTableWidget,
    QWidget,
)

from napari_inr_denoise.plugin.elements.plot import Plot
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget

_WHOLE = (QAbstractSpinBox, QComboBox, QLineEdit, QPlainTextEdit, QTableWidget)
"""Controls whose parts are Qt's own."""


def cut_off(panel: InrDenoiseWidget) -> list[str]:
    """Return a sentence for each part of the current tab that is not wholly shown."""
    area = panel.tabs.currentWidget()
    column, room = area.widget(), area.viewport().width()
    found = []
    for one in _shown(column):
        name = _name(one)
        left = one.mapTo(column, one.rect().topLeft()).x()
        if left < 0 or left + one.width() > room:
            found.append(f"{name}: {left} to {left + one.width()} of {room} pixels")
        if not one.parentWidget().rect().contains(one.geometry()):
            found.append(f"{name}: outside of what it is in")
        found += [f"{name}: {problem}" for problem in _problems(one)]
        beside = [part for part in _shown(one, deep=False) if _has_room(part)]
        for first, second in combinations(beside, 2):
            if first.geometry().intersects(second.geometry()):
                found.append(f"{_name(first)}: over {_name(second)}")
    return found


def _shown(parent: QWidget, *, deep: bool = True) -> Iterator[QWidget]:
    """Yield the visible widgets in another one, but not the parts of controls."""
    if isinstance(parent, _WHOLE):
        return
    for one in parent.children():
        if (
            isinstance(one, QWidget)
            and one.isVisible()
            and not isinstance(one, QScrollBar)
            and not one.isWindow()
        ):
            yield one
            if deep:
                yield from _shown(one)


def _has_room(one: QWidget) -> bool:
    return one.width() > 0 and one.height() > 0


def _name(one: QWidget) -> str:
    text = getattr(one, "text", str)() or one.accessibleName()
    return f"{type(one).__name__} {text!r}"


def _problems(one: QWidget) -> Iterator[str]:
    width, height = one.width(), one.height()
    if isinstance(one, QPushButton):
        yield from _cut_lines(one)
    elif isinstance(one, QTableWidget):
        yield from _hidden_columns(one)
    elif isinstance(one, QLabel) and one.wordWrap():
        yield from _cut_words(one)
    elif isinstance(one, QLabel | QCheckBox | Plot):
        needed = one.sizeHint()
        if isinstance(one, Plot) and needed.height() > height:
            yield f"{height} of {needed.height()} pixels high"
        elif needed.width() > width:
            yield f"needs {needed.width()} of {width} pixels"


def _cut_lines(button: QPushButton) -> Iterator[str]:
    letters, lines = button.fontMetrics(), button.text().split("\n")
    needed = max(map(letters.horizontalAdvance, lines))
    if needed > button.width():
        yield f"its text needs {needed} of {button.width()} pixels"
    if letters.height() * len(lines) > button.height():
        yield f"{len(lines)} lines in {button.height()} pixels"


def _cut_words(label: QLabel) -> Iterator[str]:
    needed, height = label.heightForWidth(label.width()), label.height()
    if needed > height:
        yield f"wraps to {needed} of {height} pixels"
    words = re.split(r"[ \n\u200b]", label.text())
    widest = max(map(label.fontMetrics().horizontalAdvance, words))
    if widest > label.width():
        yield f"its longest word needs {widest} of {label.width()} pixels"


def _hidden_columns(table: QTableWidget) -> Iterator[str]:
    room: QRect = table.viewport().rect()
    for column in range(table.columnCount()):
        right = table.columnViewportPosition(column) + table.columnWidth(column)
        name = table.horizontalHeaderItem(column).text()
        if right > room.width():
            yield f"column {name} ends at {right} of {room.width()} pixels"
        if table.sizeHintForColumn(column) > table.columnWidth(column):
            yield f"column {name} is too narrow for its texts"
    if right < room.width():
        yield f"the columns end at {right} of {room.width()} pixels"
    last = table.visualItemRect(table.item(table.rowCount() - 1, 0))
    if last.bottom() > room.bottom():
        yield f"its last row ends at {last.bottom()} of {room.bottom()} pixels"
