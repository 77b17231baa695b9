"""Tells the end of a long run where napari is not in front."""

from __future__ import annotations

import time
from collections.abc import Callable

from napari.utils.notifications import show_info
from qtpy.QtWidgets import QApplication, QWidget

_LONG_S = 20
"""Seconds of a run from which its end is told."""


class LongRun:
    """Measures a run, and tells its end if the user has turned to another program.

    Parameters
    ----------
    panel : QWidget
        In the window of napari.
    clock : callable
        Returns the time in seconds.
    """

    def __init__(
        self, panel: QWidget, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._panel, self._clock = panel, clock
        self._began: float | None = None

    def begin(self) -> None:
        """Note the start of a run, unless one is at work."""
        if self._began is None:
            self._began = self._clock()

    def end(self, text: str) -> None:
        """Note the end, and perhaps tell what became of the run."""
        began, self._began = self._began, None
        long = began is not None and self._clock() - began > _LONG_S
        if long and text and QApplication.activeWindow() is None:
            QApplication.alert(self._panel.window())
            show_info(f"INR Denoise: {text}")
