"""Ends workers with the widget that started them."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from typing import Concatenate, ParamSpec, Protocol, TypeVar
from weakref import WeakSet, ref

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
"""Time in milliseconds that the end of the program waits for workers."""


class Lifetime(QObject):
    """Stops the workers of a widget when it is closed in any way.

    Closing the window, or dropping the last reference, destroys the Qt widget. Closing
    the dock only takes the Qt widget out of the dock: it loses its parent, and may be
    destroyed much later.

    An object of its own, because the widget may be gone when the signal comes.

    Parameters
    ----------
    native : QWidget
        The Qt widget.

    Attributes
    ----------
    over : bool
        Whether the Qt widget was destroyed.
    undocked : bool
        Whether it was taken out of its dock.
    """

    undocking = Signal()
    """Emitted when the widget is taken out of its dock."""

    def __init__(self, native: QWidget) -> None:
        super().__init__()
        self.over = False
        self.undocked = False
        self._workers: WeakSet[WorkerBase] = WeakSet()  # superqt holds running ones
        self._native = ref(native)
        _LIFETIMES.add(self)
        native.installEventFilter(self)
        native.destroyed.connect(lambda *_: self._end())

    def start(self, worker: WorkerBase) -> None:
        """Start a worker that ends with the widget."""
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

    def _destroy(self) -> None:
        """Destroy the Qt widget now."""
        native = self._native()
        if native is not None and not self.over:
            native.deleteLater()
            later = int(QEvent.Type.DeferredDelete)
            QCoreApplication.sendPostedEvents(native, later)

    def _quit(self) -> None:
        for worker in tuple(self._workers):
            worker.quit()


_LIFETIMES: set[Lifetime] = set()
"""Held until their Qt widgets are destroyed. A lifetime collected together with its
widget would get the signal without its attributes, and PyQt would end the process."""


@atexit.register
def _leave() -> None:
    """Stop all workers at the end of the program, even if no viewer was closed.

    A thread that runs while Python and Qt shut down crashes the process. So may PyQt,
    which looks through its objects while it destroys them, if others go with them.
    """
    for lifetime in tuple(_LIFETIMES):
        lifetime._quit()
    pool = QThreadPool.globalInstance()
    if pool is not None:
        pool.waitForDone(_LEAVE_MS)
    # Do what Qt has deferred, such as deleting widgets: PyQt crashes if it happens
    # during its own shutdown.
    QCoreApplication.processEvents()
    for lifetime in tuple(_LIFETIMES):
        lifetime._destroy()


class _HasLifetime(Protocol):
    _lifetime: Lifetime


_Owner = TypeVar("_Owner", bound=_HasLifetime)


def while_open(
    slot: Callable[Concatenate[_Owner, _P], None],
) -> Callable[Concatenate[_Owner, _P], None]:
    """Skip a slot after the window was closed, when the Qt objects are deleted."""

    def guarded(owner: _Owner, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        if not owner._lifetime.over:
            slot(owner, *args, **kwargs)

    return guarded
