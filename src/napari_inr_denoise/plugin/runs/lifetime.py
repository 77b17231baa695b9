"""Work must not outlive the widget that shows it."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar
from weakref import WeakSet

from napari.qt.threading import WorkerBase
from qtpy.QtCore import (  # type: ignore[attr-defined]
    QCoreApplication,
    QEvent,
    QObject,
    QThreadPool,
    Signal,
)
from qtpy.QtWidgets import QWidget

_P = ParamSpec("_P")
_LEAVE_MS = 20_000
"""How long a program that ends waits for work that cannot look up."""


class Lifetime(QObject):
    """Ends the workers when the widget is closed, however that happens.

    With the window, or when nothing refers to the widget any more, its Qt side is
    destroyed. With the dock's cross it is only taken out of the dock: it loses its
    parent, and may be collected much later.

    Kept apart from the widget, which may be gone when the signal comes.

    Parameters
    ----------
    native : QWidget
        The widget's Qt side.

    Attributes
    ----------
    over : bool
        Whether the Qt side is gone.
    undocked : bool
        Whether it was taken out of its dock.
    """

    undocking = Signal()
    """It was taken out of its dock just now."""

    def __init__(self, native: QWidget) -> None:
        super().__init__()
        self.over = False
        self.undocked = False
        self._workers: WeakSet[WorkerBase] = WeakSet()  # napari holds them at work
        _LIFETIMES.add(self)
        native.installEventFilter(self)
        native.destroyed.connect(lambda *_: self._end())

    def start(self, worker: WorkerBase) -> None:
        """Start a worker that is to end with the widget."""
        self._workers.add(worker)
        worker.start()

    def eventFilter(  # noqa: N802 - Qt's name
        self, watched: QObject | None, event: QEvent | None
    ) -> bool:
        """Stop the workers when the widget is taken out of its dock."""
        moved = event is not None and event.type() == QEvent.Type.ParentChange
        if watched is not None and moved:
            self.undocked = watched.parent() is None
            if self.undocked:
                self._quit()
                self.undocking.emit()
        return False

    def _end(self) -> None:
        self.over = True
        self._quit()
        _LIFETIMES.discard(self)

    def _quit(self) -> None:
        for worker in tuple(self._workers):
            worker.quit()


_LIFETIMES: set[Lifetime] = set()
"""Held until their Qt sides are gone: collected together with one, a lifetime would
hear of its end without its own attributes, and PyQt would end the process."""


@atexit.register
def _leave() -> None:
    """End all work with the program, also of a script that closes no viewer.

    A thread that goes on while Python and Qt are taken apart ends in a crash.
    """
    for lifetime in tuple(_LIFETIMES):
        lifetime._quit()
    pool = QThreadPool.globalInstance()
    if pool is not None:
        pool.waitForDone(_LEAVE_MS)
    # What Qt has put off, such as deleting widgets, is done before PyQt takes the rest
    # apart: it crashes over what goes meanwhile.
    QCoreApplication.processEvents()


class _HasLifetime(Protocol):
    _lifetime: Lifetime


_Owner = TypeVar("_Owner", bound=_HasLifetime)


def while_open(
    slot: Callable[Concatenate[_Owner, _P], None],
) -> Callable[Concatenate[_Owner, _P], None]:
    """Skip a slot once the window is gone: Qt's own objects are deleted by then."""

    def guarded(owner: _Owner, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        if not owner._lifetime.over:
            slot(owner, *args, **kwargs)

    return guarded
