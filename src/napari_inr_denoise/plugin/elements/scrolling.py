"""A column that scrolls up and down, and is never cut off at its side."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFrame,
    QScrollArea,
    QSlider,
    QWidget,
)


class ScrollingColumn(QScrollArea):
    """Shows a widget at the width of the area; at least as wide as it must be.

    Parameters
    ----------
    column : QWidget
        The widget.
    """

    def __init__(self, column: QWidget) -> None:
        super().__init__()
        self._column = column
        let_scroll_past(column)
        self.setWidget(column)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the least size: the column beside its scroll bar."""
        least, bar = super().minimumSizeHint(), self.verticalScrollBar()
        beside = 0 if bar is None else bar.sizeHint().width()
        width = self._column.minimumSizeHint().width() + beside
        return QSize(max(width, least.width()), least.height())

    def eventFilter(  # noqa: N802 - Qt's name
        self, watched: QObject | None, event: QEvent | None
    ) -> bool:
        """Ask for the width that the column needs from now on."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


def let_scroll_past(part: QWidget) -> None:
    """Let the mouse wheel scroll the panel over the controls of a part.

    Qt would change what is under the mouse: a choice, a number, or a slider.
    """
    for control in (part, *part.findChildren(QWidget)):
        if isinstance(control, QComboBox | QAbstractSpinBox | QSlider):
            control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            control.installEventFilter(_PassedOver(control))


class _PassedOver(QObject):
    """Keeps the mouse wheel from a control: the event goes on to what is around it."""

    def eventFilter(  # noqa: N802 - Qt's name
        self, watched: QObject | None, event: QEvent | None
    ) -> bool:
        """Take the turns of the wheel without accepting them."""
        del watched
        turned = event is not None and event.type() == QEvent.Type.Wheel
        if event is not None and turned:
            event.ignore()
        return turned
