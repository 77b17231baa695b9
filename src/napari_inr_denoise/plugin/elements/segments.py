"""A row of buttons of which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QEvent, QSize, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QButtonGroup,
    QGridLayout,
    QLayout,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from napari_inr_denoise.plugin.elements.style import set_role

_PER_ROW = 4
_EVEN = 40
"""Pixels that are added to the widths of columns: larger makes them more equal."""
_PADDING = 8
"""Least pixels of a button beside its text: frame and margins."""
_MOST_LETTERS = 16
"""Width of the longest text, such as the name of a file; its tooltip has all of it."""
_SPACING = 2


class Segments(QWidget):
    """Buttons side by side; exactly one is chosen. A button can have a second line.

    They are equally wide where their texts fit. Where a row is too narrow for its
    texts, half as many stand in a row.

    Parameters
    ----------
    choices : sequence of (label, value, tooltip)
        The buttons.
    per_row : int
        Most buttons in a row.

    Attributes
    ----------
    changed : Signal
        Emitted with the new value, whoever chose it.
    pressed : Signal
        Emitted after that when the user has pressed a button, also the chosen one.
    """

    changed = Signal(object)
    pressed = Signal()

    def __init__(
        self, choices: Sequence[tuple[str, Any, str]], per_row: int = _PER_ROW
    ) -> None:
        super().__init__()
        self._per_row = per_row
        self._buttons: dict[Any, QPushButton] = {}
        self._labels: dict[Any, str] = {}
        self._value: Any = None
        self._hidden: set[Any] = set()
        self._arranged: tuple[int, tuple[int, ...]] | None = None
        self._group = QButtonGroup(self)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_SPACING)
        # Else a row of all buttons would be the least width.
        self._grid.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        for label, value, tip in choices:
            self.add(label, value, tip)
        self.value = choices[0][1]

    def add(self, label: str, value: Any, tip: str) -> None:  # noqa: ANN401 - any value
        """Add a button, or rename the one that has the value."""
        self._labels[value] = label
        if value in self._buttons:
            self._write(value, label)
            return
        made = _Segment(label)
        made.setCheckable(True)
        made.setAutoDefault(False)
        made.setToolTip(tip)
        made.setAccessibleDescription(tip)
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        set_role(made, "segment")
        made.clicked.connect(lambda: self._press(value))
        self._group.addButton(made)
        self._buttons[value] = made
        self._write(value, label)

    def _write(self, value: Any, text: str) -> None:  # noqa: ANN401 - any value
        """Write on a button."""
        one = self._buttons[value]
        whole, letters = text, one.fontMetrics()
        middle, most = Qt.TextElideMode.ElideMiddle, letters.averageCharWidth()
        text = "\n".join(
            letters.elidedText(line, middle, _MOST_LETTERS * most)
            for line in text.split("\n")
        )
        one.setText(text)
        one.setAccessibleName(whole.replace("\n", " "))
        self._arrange()

    def remove(self, value: Any) -> None:  # noqa: ANN401 - any value
        """Remove a button; if it was chosen, the first one is."""
        gone = self._buttons.pop(value)
        self._group.removeButton(gone)
        gone.setParent(None)
        gone.deleteLater()
        self._arrange()
        if value == self._value:
            self.value = next(iter(self._buttons))

    @property
    def _shown(self) -> list[QPushButton]:
        return [one for k, one in self._buttons.items() if k not in self._hidden]

    def _widest(self, columns: int) -> list[int]:
        """Return the width that each column needs, in pixels."""
        widths = [one.minimumSizeHint().width() for one in self._shown]
        return [max(widths[k::columns], default=0) for k in range(columns)]

    def _columns(self) -> int:
        """Return how many buttons stand in a row."""
        widest = self._widest(self._per_row)
        needed = sum(widest) + _SPACING * (len(widest) - 1)
        return self._per_row if needed <= self.width() else (self._per_row + 1) // 2

    def _arrangement(self) -> tuple[int, tuple[int, ...]]:
        """Return how many buttons stand in a row, and the stretch of each column."""
        columns = self._columns()
        widest = [width for width in self._widest(columns) if width]
        equal = (max(widest, default=0) + _SPACING) * len(widest) - _SPACING
        # Equal columns would cut off the longest text where there is no room.
        fits = equal <= self.width()
        return columns, tuple(1 if fits else width + _EVEN for width in widest)

    def _arrange(self) -> None:
        columns, stretches = self._arranged = self._arrangement()
        for number, one in enumerate(self._shown):
            self._grid.addWidget(one, *divmod(number, columns))
        unused = (0,) * (self._per_row - len(stretches))
        for column, stretch in enumerate(stretches + unused):
            self._grid.setColumnStretch(column, stretch)
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Let as many buttons stand in a row as there is room for."""
        super().resizeEvent(event)
        if self._arrangement() != self._arranged:
            self._arrange()

    def event(self, event: QEvent | None) -> bool:
        """Arrange the buttons anew when they need another width: of a larger font."""
        asked = event is not None and event.type() == QEvent.Type.LayoutRequest
        if asked and self._arrangement() != self._arranged:
            self._arrange()
        return super().event(event)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the least width: the buttons take what there is."""
        return QSize(self.minimumSizeHint().width(), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size with few buttons in a row."""
        widest = self._widest((self._per_row + 1) // 2)
        width = sum(widest) + _SPACING * (len(widest) - 1)
        return QSize(width, super().minimumSizeHint().height())

    def show_only(self, values: Sequence[Any]) -> None:
        """Show the buttons of some values; the others take no room."""
        self._hidden = {value for value in self._buttons if value not in values}
        for value, one in self._buttons.items():
            one.setVisible(value not in self._hidden)
        self._arrange()

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values that can be chosen."""
        return tuple(value for value in self._buttons if value not in self._hidden)

    def button(self, value: Any) -> QPushButton:  # noqa: ANN401 - any value
        """Return the button of a value."""
        return self._buttons[value]

    @property
    def value(self) -> Any:  # noqa: ANN401 - any value
        """The chosen value."""
        return self._value

    @value.setter
    def value(self, value: Any) -> None:  # noqa: ANN401 - any value
        if value not in self._buttons:
            wanted = ", ".join(map(repr, self._buttons))
            raise ValueError(f"got {value!r}, wanted one of {wanted}.")
        self._choose(value)

    def _press(self, value: Any) -> None:  # noqa: ANN401 - any value
        self._choose(value)
        self.pressed.emit()

    def _choose(self, value: Any) -> None:  # noqa: ANN401 - any value
        self._buttons[value].setChecked(True)
        if value != self._value:
            self._value = value
            self.changed.emit(value)

    def annotate(self, value: Any, note: str) -> None:  # noqa: ANN401 - any value
        """Show a second line on a button, such as the time that it takes."""
        label = self._labels[value]
        self._write(value, f"{label}\n{note}" if note else label)

    def allow(self, value: Any, problem: str = "") -> None:  # noqa: ANN401
        """Enable a button unless there is a problem, which becomes its tooltip."""
        one = self._buttons[value]
        one.setEnabled(not problem)
        one.setToolTip(problem or one.accessibleDescription())


class _Segment(QPushButton):
    """A button that is at least as wide as its longest line, whatever the font."""

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of the text."""
        lines = self.text().split("\n")
        width = max(map(self.fontMetrics().horizontalAdvance, lines)) + _PADDING
        return QSize(width, super().minimumSizeHint().height())
