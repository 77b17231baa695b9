"""The colour bar of a map, over the canvas.

It is no overlay of napari. vispy leaves the vertex attributes of texts enabled. Once a
layer with napari's colour bar is removed, they refer to buffers that are gone, and a
later drawing can end the program.
"""

from __future__ import annotations

import numpy as np
from napari.layers import Image
from qtpy.QtCore import QEvent, QObject, QRect, Qt
from qtpy.QtGui import QColor, QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QWidget

_WIDTH, _HEIGHT, _MARGIN = 320, 58, 8
_BAR = QRect(10, 24, _WIDTH - 20, 12)
_COLOURS = 256


class ColourBar(QWidget):
    """Name, colours and range of a layer, at the upper right of the canvas.

    It follows the layer until it is closed.

    Parameters
    ----------
    canvas : QWidget
        What it lies on.
    layer : Image
        The layer.
    """

    def __init__(self, canvas: QWidget, layer: Image) -> None:
        super().__init__(canvas)
        self._layer = layer
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(layer.name)
        for event in (layer.events.contrast_limits, layer.events.colormap):
            event.connect(self._renew)
        layer.events.name.connect(self._renew)
        canvas.installEventFilter(self)
        self._place()
        self.show()

    def _renew(self, _: object) -> None:
        self.setAccessibleName(self._layer.name)
        self.update()

    def _place(self) -> None:
        canvas = self.parentWidget()
        if canvas is not None:
            width = min(_WIDTH, canvas.width() - 2 * _MARGIN)
            left = canvas.width() - width - _MARGIN
            self.setGeometry(left, _MARGIN, width, _HEIGHT)

    def end(self) -> None:
        """Remove it from the canvas."""
        events, canvas = self._layer.events, self.parentWidget()
        for event in (events.contrast_limits, events.colormap, events.name):
            event.disconnect(self._renew)
        if canvas is not None:
            canvas.removeEventFilter(self)
        self.setParent(None)
        self.deleteLater()

    def eventFilter(  # noqa: N802 - Qt's name
        self, watched: QObject | None, event: QEvent | None
    ) -> bool:
        """Follow the size of the canvas."""
        del watched
        if event is not None and event.type() == QEvent.Type.Resize:
            self._place()
        return False

    def paintEvent(self, _: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the name, the colours, and the ends of their range."""
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(0, 0, 0, 170))
        painter.drawRoundedRect(self.rect(), 4, 4)
        bar = _BAR.intersected(self.rect().adjusted(0, 0, -_BAR.left(), 0))
        painter.drawImage(bar, self._colours())
        painter.setPen(QColor(255, 255, 255))
        letters, flags = painter.fontMetrics(), Qt.AlignmentFlag
        middle = Qt.TextElideMode.ElideMiddle
        name = letters.elidedText(self._layer.name, middle, bar.width())
        above = QRect(bar.left(), 2, bar.width(), bar.top() - 4)
        below = QRect(bar.left(), bar.bottom() + 2, bar.width(), 18)
        painter.drawText(above, flags.AlignLeft | flags.AlignVCenter, name)
        low, high = self._layer.contrast_limits
        for value, side in ((low, flags.AlignLeft), (high, flags.AlignRight)):
            painter.drawText(below, side | flags.AlignVCenter, f"{value:.3g}")
        painter.end()

    def _colours(self) -> QImage:
        mapped = self._layer.colormap.map(np.linspace(0, 1, _COLOURS))
        row = np.ascontiguousarray(np.round(255 * mapped[:, :3]).astype(np.uint8))
        size = _COLOURS, 1, 3 * _COLOURS
        return QImage(row.tobytes(), *size, QImage.Format.Format_RGB888).copy()
