"""A bar that shows the finished share of a run."""

from __future__ import annotations

from qtpy.QtWidgets import QProgressBar

_STEPS = 1000
"""Enough to move smoothly."""


class ShareBar(QProgressBar):
    """A thin bar without text.

    It never moves without an end, while nothing is known either: Qt would draw the
    window anew sixty times a second, which doubled the time to the first step where
    there is no GPU.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setRange(0, _STEPS)
        self.setTextVisible(False)
        self.setAccessibleName("Progress")
        self.setMinimumHeight(6)
        self.setMaximumHeight(8)

    def show_share(self, share: float) -> None:
        """Show a finished share, 0 to 1, when the window is drawn the next time.

        Qt's own `setValue` draws at once, and with it all of the window: a step of a
        run then drew it three times.
        """
        value = round(share * _STEPS)
        if value != self.value():
            self.setUpdatesEnabled(False)
            self.setValue(value)
            self.setUpdatesEnabled(True)
