"""Rows of a panel: a label beside a control, and texts that wrap."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from magicgui.widgets import Widget
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from napari_inr_denoise.plugin.elements.style import set_role

_LABEL_PIXELS = 61
"""Least width of the labels, so that the controls of several forms are aligned."""
_SPACING = 5
_EDGE = 4
"""Pixels that Qt leaves beside the text of a list of choices."""
_LEAST_LETTERS = 3
"""Width of the narrowest list of choices, which shows the start of an entry."""
_BREAKABLE = re.compile(r"([/\\_]|(?<=\S)-|[.,](?!\d))")
"""Signs after which a long word may be broken, but not a number."""
_ZERO_WIDTH_SPACE = "\u200b"
_UNIT = re.compile(r"(?<=\d) (?=(?:%|x|s|min|h|GB)(?!\w))")
"""The space between a number and its unit, which stay on one line."""
_NO_BREAK_SPACE = "\u00a0"


def native_of(control: QWidget | Widget) -> QWidget:
    """Return the Qt side of a control."""
    made: QWidget = control.native if isinstance(control, Widget) else control
    return made


class Form(QWidget):
    """Rows of labelled controls that can be hidden, in a column."""

    def __init__(self) -> None:
        super().__init__()
        self._rows = QFormLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(_SPACING)
        self._rows.setFieldGrowthPolicy(
            QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow
        )
        self._labels: dict[QWidget, QLabel] = {}

    def add(self, label: str, control: QWidget | Widget, tip: str = "") -> None:
        """Add a row; screen readers read its label with the control."""
        native = native_of(control)
        named = QLabel(label)
        named.setMinimumWidth(_LABEL_PIXELS)
        self._labels[native] = named
        native.setAccessibleName(label)
        if tip:
            native.setToolTip(tip)
            named.setToolTip(tip)
            native.setAccessibleDescription(tip)
        self._rows.addRow(named, native)

    def add_wide(self, control: QWidget | Widget) -> None:
        """Add a row without a label."""
        self._rows.addRow(native_of(control))

    def show_row(self, control: QWidget | Widget, on: bool) -> None:
        """Show or hide a control with its label."""
        native = native_of(control)
        native.setVisible(on)
        self._labels[native].setVisible(on)


class TextLabel(QLabel):
    """A text that wraps, breaks long names, and takes no room while it is empty.

    Attributes
    ----------
    value : str
        The text.
    """

    def __init__(self, text: str = "", *, hides: bool = True) -> None:
        super().__init__()
        self._value, self._hides = "", hides
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        # A long word must not make the panel wider.
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.value = text

    @property
    def value(self) -> str:
        """The text that is shown."""
        return self._value

    @value.setter
    def value(self, text: str) -> None:
        if text == self._value and self.text():
            return
        self._value = text
        shown = _UNIT.sub(_NO_BREAK_SPACE, text)
        self.setText(_BREAKABLE.sub(rf"\1{_ZERO_WIDTH_SPACE}", shown))
        if self._hides:
            self.setVisible(bool(text))


def row(*controls: QWidget | Widget, wide: int | None = None) -> QWidget:
    """Return controls side by side; one of them, by its number, may take all room."""
    made = QWidget()
    layout = QHBoxLayout(made)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(_SPACING)
    for control in controls:
        layout.addWidget(native_of(control))
    if wide is not None:
        layout.setStretch(wide, 1)
    return made


def button(text: str, tip: str, role: str = "") -> QPushButton:
    """Return a button; its text has no shortcut, which could collide with napari's."""
    made = QPushButton(text)
    made.setToolTip(tip)
    made.setAccessibleName(text or tip)
    made.setAccessibleDescription(tip)
    made.setAutoDefault(False)
    if role:
        set_role(made, role)
    return made


def line() -> QFrame:
    """Return a thin line between two sections."""
    made = QFrame()
    made.setFixedHeight(1)
    set_role(made, "line")
    return made


def let_shrink(choice: QComboBox) -> None:
    """Let a list of choices become narrower than its longest entry."""
    policy = QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
    choice.setSizeAdjustPolicy(policy)
    choice.setMinimumContentsLength(_LEAST_LETTERS)
    choice.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    choice.installEventFilter(_MiddleElided(choice))
    if (entries := choice.view()) is not None:
        entries.setTextElideMode(Qt.TextElideMode.ElideMiddle)


class _MiddleElided(QObject):
    """Draws a list of choices so that both ends of a long entry are seen.

    Qt cuts it at its end, where the channels of a file differ.
    """

    def eventFilter(  # noqa: N802 - Qt's name
        self, watched: QObject | None, event: QEvent | None
    ) -> bool:
        """Draw the list of choices instead of Qt."""
        paints = event is not None and event.type() == QEvent.Type.Paint
        if not paints or not isinstance(watched, QComboBox):
            return False
        painter, option = QStylePainter(watched), QStyleOptionComboBox()
        watched.initStyleOption(option)
        style, part = painter.style(), QStyle.SubControl.SC_ComboBoxEditField
        if style is not None:
            kind = QStyle.ComplexControl.CC_ComboBox
            room = style.subControlRect(kind, option, part, watched).width()
            option.currentText = option.fontMetrics.elidedText(
                option.currentText or watched.placeholderText(),
                Qt.TextElideMode.ElideMiddle,
                room - _EDGE,
            )
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)
        painter.end()
        return True


def order_tabs(part: QWidget) -> None:
    """Let Tab go through a part as it is laid out, not as its controls were made."""
    stops = [
        one
        for one in _laid_out(part)
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus == Qt.FocusPolicy.TabFocus
    ]
    for before, after in pairwise(stops):
        QWidget.setTabOrder(before, after)


def _laid_out(part: QWidget) -> Iterator[QWidget]:
    """Yield a widget and those in its layout, in the order of the layout."""
    yield part
    layouts = [part.layout()]
    while layouts:
        layout = layouts.pop(0)
        for number in range(0 if layout is None else layout.count()):
            item = None if layout is None else layout.itemAt(number)
            inner = None if item is None else item.widget()
            if inner is not None:
                yield from _laid_out(inner)
            elif item is not None and item.layout() is not None:
                layouts.append(item.layout())
