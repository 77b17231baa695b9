"""Short facts on a result, each in a rounded field."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtGui import QMouseEvent
from qtpy.QtWidgets import QLabel, QToolTip, QWidget
from superqt import QFlowLayout

from napari_inr_denoise.plugin.elements.facts import Chip
from napari_inr_denoise.plugin.elements.style import set_role


class Chips(QWidget):
    """Facts side by side, in as many lines as they need."""

    def __init__(self) -> None:
        super().__init__()
        layout = QFlowLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(4)
        layout.setVerticalSpacing(4)
        self._flow = layout
        self._texts: tuple[str, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The words that are shown."""
        return self._texts

    def show_facts(self, chips: Sequence[Chip]) -> None:
        """Replace the facts."""
        while (item := self._flow.takeAt(0)) is not None:
            gone = item.widget()
            if gone is not None:
                gone.setParent(None)
                gone.deleteLater()
        for chip in chips:
            made = _Fact(chip.shown)
            made.setToolTip(chip.tip)
            made.setAccessibleDescription(chip.tip)
            self._flow.addWidget(made)
            set_role(made, "warning" if chip.kind == "warning" else "chip")
        self._texts = tuple(chip.shown for chip in chips)
        self.updateGeometry()


class _Fact(QLabel):
    """A fact that tells its details at once when it is pressed: it looks so."""

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Show the tooltip."""
        if event is not None:
            place = event.globalPosition().toPoint()
            QToolTip.showText(place, self.toolTip(), self)
            event.accept()
