"""Rows of a panel: a label beside a control, and texts that wrap."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from magicgui.widgets import Widget
from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtGui import (
    QClipboard,
    QContextMenuEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QResizeEvent,
)
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionComboBox,
    QStylePainter,
    QWidget,
)

from napari_inr_denoise.plugin.elements.style import set_role

_WIDEST = "Estimate"
"""The labels are at least as wide: the controls of several forms are then aligned."""
_SPACING = 5
_EDGE = 4
"""Pixels that Qt leaves beside the text of a list of choices."""
_LEAST_LETTERS = 3
"""Width of the narrowest list of choices, which shows the start of an entry."""
_LEAST_TEXT = 12
"""Letters for which a text always has room, unless all its words are shorter."""
_BREAKABLE = re.compile(r"([/\\_]|(?<=\S)-|[.,](?!\d))")
"""Signs after which a long word may be broken, but not a number."""
_ZERO_WIDTH_SPACE = "\u200b"
_UNIT = re.compile(r"(?<=\d) (?=(?:%|x|s|min|h|GB)(?!\w))")
"""The space between a number and its unit, which stay on one line."""
_NO_BREAK_SPACE = "\u00a0"
_COPIED = str.maketrans(
    {_ZERO_WIDTH_SPACE: "", _NO_BREAK_SPACE: " ", "\u2029": "\n", "\u2028": "\n"}
)
"""Signs of a selected text that are not copied as they are."""


def native_of(control: QWidget | Widget) -> QWidget:
    """Return the Qt side of a control."""
    made: QWidget = control.native if isinstance(control, Widget) else control
    return made


class Form(QWidget):
    """Rows of labelled controls that can be hidden, in a column.

    Where a control has no room beside its label, as with large letters, all controls
    stand below their labels.
    """

    def __init__(self) -> None:
        super().__init__()
        # Not Qt's layout for forms: it cuts off texts that wrap.
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_SPACING)
        self._grid.setColumnStretch(1, 1)
        # Else a control beside its label would be the least width.
        self._grid.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._labels: dict[QWidget, QLabel | None] = {}
        self._beside = True

    def add(self, label: str, control: QWidget | Widget, tip: str = "") -> None:
        """Add a row; screen readers read its label with the control."""
        native = native_of(control)
        named = RowLabel(label)
        native.setAccessibleName(label)
        if tip:
            native.setToolTip(tip)
            named.setToolTip(tip)
            native.setAccessibleDescription(tip)
        self._labels[native] = named
        self._place(native)

    def add_wide(self, control: QWidget | Widget) -> None:
        """Add a row without a label."""
        native = native_of(control)
        self._labels[native] = None
        self._place(native)

    def show_row(self, control: QWidget | Widget, on: bool) -> None:
        """Show or hide a control with its label."""
        native = native_of(control)
        native.setVisible(on)
        label = self._labels[native]
        if label is not None:
            label.setVisible(on)

    def _place(self, control: QWidget) -> None:
        """Place a control and its label in the two rows of the grid that are theirs."""
        row, label = 2 * list(self._labels).index(control), self._labels[control]
        if label is not None and self._beside:
            self._grid.addWidget(label, row, 0)
            self._grid.addWidget(control, row, 1)
            return
        if label is not None:
            self._grid.addWidget(label, row, 0, 1, 2)
        self._grid.addWidget(control, row + 1, 0, 1, 2)

    def _widths(self) -> tuple[int, int]:
        """Return the width of the labels, and the least one of controls with them."""
        shown = {
            control: label
            for control, label in self._labels.items()
            if label is not None and not control.isHidden()
        }
        labels = [one.sizeHint().width() for one in shown.values()]
        controls = [one.minimumSizeHint().width() for one in shown]
        return max(labels, default=0), max(controls, default=0)

    def _arrange(self) -> None:
        beside = sum(self._widths()) + _SPACING <= self.width()
        if beside != self._beside:
            self._beside = beside
            for control in self._labels:
                self._place(control)

    def event(self, event: QEvent | None) -> bool:
        """Arrange the rows anew when they need another width."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Let labels stand beside their controls where there is room."""
        super().resizeEvent(event)
        self._arrange()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size with controls below their labels."""
        shown = [one for one in self._labels if not one.isHidden()]
        widths = [one.minimumSizeHint().width() for one in shown]
        height = super().minimumSizeHint().height()
        return QSize(max([self._widths()[0], *widths]), height)


class RowLabel(QLabel):
    """A label that is as wide as the widest of most forms, whatever the font."""

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of the text, or of the widest label."""
        letters, own = self.fontMetrics(), super().sizeHint()
        around = own.width() - letters.horizontalAdvance(self.text())
        widest = around + letters.horizontalAdvance(_WIDEST)
        return own.expandedTo(QSize(widest, 0))

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the same."""
        return self.sizeHint()


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
        self.value = text

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the width of a word; a long one must not make the panel wider."""
        most = _LEAST_TEXT * self.fontMetrics().averageCharWidth()
        least = super().minimumSizeHint()
        return QSize(min(least.width(), most), least.height())

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

    def _copy(self, mode: QClipboard.Mode = QClipboard.Mode.Clipboard) -> None:
        """Copy what is selected, as it was told: a name or command can be pasted."""
        clipboard = QApplication.clipboard()
        if clipboard is not None and self.hasSelectedText():
            clipboard.setText(self.selectedText().translate(_COPIED), mode)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Copy by the keyboard."""
        if event is not None and event.matches(QKeySequence.StandardKey.Copy):
            self._copy()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Copy to the selection that the middle button pastes, where there is one."""
        super().mouseReleaseEvent(event)
        clipboard = QApplication.clipboard()
        if clipboard is not None and clipboard.supportsSelection():
            self._copy(QClipboard.Mode.Selection)

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:  # noqa: N802
        """Offer to copy the text."""
        if event is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if self.hasSelectedText():
            menu.addAction("Copy", self._copy)
        menu.addAction("Select all", lambda: self.setSelection(0, len(self.text())))
        menu.popup(event.globalPos())


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
