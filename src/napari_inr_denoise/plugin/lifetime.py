"""A fit must not outlive the widget that shows it."""

from __future__ import annotations

from napari.qt.threading import WorkerBase
from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget


class Lifetime(QObject):
    """Ends the worker when the widget is closed, however that happens.

    With the window, or when nothing refers to the widget any more, its Qt side is
    destroyed. With the dock's cross it is only taken out of the dock: it loses its
    parent, and may be collected much later.

    Kept apart from the widget, which may be gone when the signal comes.

    Parameters
    ----------
    native : QWidget
        The widget's Qt side.
    """

    def __init__(self, native: QWidget) -> None:
        super().__init__()
        self.over = False
        self.worker: WorkerBase | None = None
        native.installEventFilter(self)
        native.destroyed.connect(lambda *_: self._end())

    def eventFilter(  # noqa: N802 - Qt's name
        self, watched: QObject | None, event: QEvent | None
    ) -> bool:
        """Stop the worker when the widget is taken out of its dock."""
        if watched is not None and event is not None:
            moved = event.type() == QEvent.Type.ParentChange
            if moved and watched.parent() is None:
                self._quit()
        return False

    def _end(self) -> None:
        self.over = True
        self._quit()

    def _quit(self) -> None:
        if self.worker is not None:
            self.worker.quit()
