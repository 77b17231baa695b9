"""A plot of what is removed against the noise level, drawn by Qt alone."""

from __future__ import annotations

import math

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

_HEIGHT = 110
_MARGIN = 6
_LEAST_RATIO, _MOST_RATIO = 0.5, 2.0
"""Shown at least, so that the noise level has its place from the start."""
_MOST_POINTS = 500
_CURVE, _STOP = QColor("#2b7fc4"), QColor("#c4701a")
"""Seen well on napari's dark and on its light background: at least 3 to 1."""
_GAP = 2
"""Pixels between the frame and the words below it."""
_FINE_BELOW_S = 20
"""Tenths of a second are told of what took less."""


class ResidualPlot(QWidget):
    """Residual over noise level, on a logarithmic scale, over the time of a fit.

    The dashed line is the noise level: a residual above it still holds structure or
    is not fitted yet, one below it means that noise was fitted. Where the fit ended
    there is a mark.
    """

    def __init__(self) -> None:
        super().__init__()
        self._points: list[tuple[float, float]] = []
        self._ended = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "What is removed, as a multiple of the noise level (dashed), over time. "
            "The mark is where the fit ended."
        )

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Seconds and ratios that are drawn."""
        return tuple(self._points)

    @property
    def ended(self) -> bool:
        """Whether the last point is marked as the end of the fit."""
        return self._ended

    def clear(self) -> None:
        """Begin anew."""
        self._points, self._ended = [], False
        self.update()

    def add(self, seconds: float, ratio: float, *, ended: bool = False) -> None:
        """Draw a further point; the first one of a new fit begins anew.

        Parameters
        ----------
        seconds : float
            Since the start.
        ratio : float
            Residual over noise level.
        ended : bool
            Whether the fit ended there. Planes that others have learned for have but
            this one point each.
        """
        if not (math.isfinite(ratio) and ratio > 0):
            return
        if self._ended and not ended:
            self._points = []
        self._points.append((seconds, ratio))
        if len(self._points) > _MOST_POINTS:
            # The last one stays: it may be the end.
            self._points = self._points[:-1:2] + self._points[-1:]
        self._ended = ended
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size that suits a dock."""
        return QSize(220, _HEIGHT)

    def paintEvent(self, _: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw all."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().color(self.foregroundRole())
        letters = painter.fontMetrics()
        left = letters.horizontalAdvance("0.5 x") + _MARGIN
        area = QRectF(self.rect()).adjusted(
            left, _MARGIN, -_MARGIN, -letters.height() - _MARGIN / 2
        )
        self._draw_frame(painter, area, text)
        self._draw_curve(painter, area)
        painter.end()

    def _draw_frame(self, painter: QPainter, area: QRectF, text: QColor) -> None:
        faint = QColor(text)
        faint.setAlpha(90)
        painter.setPen(QPen(faint, 1))
        painter.drawRect(area)
        level = self._height(1.0, area)
        painter.setPen(QPen(text, 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(area.left(), level), QPointF(area.right(), level))
        painter.setPen(text)
        low, high = self._range
        letters = painter.fontMetrics().height()
        for ratio in (low, 1.0, high):
            at = self._height(ratio, area)
            top = min(max(at - letters / 2, 0.0), self.height() - letters)
            box = QRectF(0, top, area.left() - _MARGIN / 2, letters)
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, f"{ratio:.2g} x")
        below = QRectF(area.left(), area.bottom() + _GAP, area.width(), letters)
        told = f"{_period(*self._span)} s" if self._points else ""
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, "residual / noise level")
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, told)

    def _draw_curve(self, painter: QPainter, area: QRectF) -> None:
        if not self._points:
            return
        first, last = self._span
        scale = area.width() / (last - first) if last > first else 0.0
        points = [
            QPointF(area.right() - scale * (last - at), self._height(ratio, area))
            for at, ratio in self._points
        ]
        painter.setPen(QPen(_CURVE, 1.5))
        painter.drawPolyline(QPolygonF(points))
        if self._ended:
            at = points[-1]
            painter.setPen(QPen(_STOP, 1.5))
            painter.drawLine(
                QPointF(at.x(), area.top()), QPointF(at.x(), area.bottom())
            )
            painter.setBrush(_STOP)
            painter.drawEllipse(at, 3.5, 3.5)

    @property
    def _span(self) -> tuple[float, float]:
        """First and last second that are drawn, of a plane late in a stack its own."""
        return self._points[0][0], self._points[-1][0]

    @property
    def _range(self) -> tuple[float, float]:
        ratios = [ratio for _, ratio in self._points]
        return min([_LEAST_RATIO, *ratios]), max([_MOST_RATIO, *ratios])

    def _height(self, ratio: float, area: QRectF) -> float:
        low, high = (math.log(end) for end in self._range)
        share = (math.log(ratio) - low) / (high - low)
        return float(area.bottom() - area.height() * share)


def _period(first: float, last: float) -> str:
    """Return the first and the last second, as digits."""
    digits = 1 if last - first < _FINE_BELOW_S else 0
    return f"{first:.{digits}f} to {last:.{digits}f}"
