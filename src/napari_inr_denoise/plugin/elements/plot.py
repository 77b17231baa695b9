"""Plots drawn with Qt alone: a value over the time of a fit, and measured points."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_inr_denoise.core.report.numbers import in_digits
from napari_inr_denoise.plugin.elements.style import set_role

_LINES = 6.5
"""Height in lines of text."""
_MARGIN = 6
_ROOM = 2.0
"""Least factor above and below the reference, which then does not move at the start."""
_MOST_POINTS = 500
_CURVE, _STOP = QColor("#2b7fc4"), QColor("#c4701a")
"""Contrast of at least 3 to 1 on napari's dark and light backgrounds."""
_DOT = 2.5
"""Radius of a measured point, in pixels."""
_GAP = 2
"""Pixels between the frame and the text below it."""
_FINE_BELOW_S = 20
"""Seconds below which the time axis shows tenths."""


class Plot(QWidget):
    """A framed area with numbers on its left and words below it.

    Parameters
    ----------
    label : str
        Name of the plotted quantity, with its unit.
    tip : str
        Tooltip.
    """

    def __init__(self, label: str, tip: str) -> None:
        super().__init__()
        self._label = label
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        set_role(self, "plot")
        self.setToolTip(tip)
        self.setAccessibleName(label)

    @property
    def label(self) -> str:
        """Name of the plotted quantity, with its unit."""
        return self._label

    @label.setter
    def label(self, label: str) -> None:
        self._label = label
        self.setAccessibleName(label)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a size that suits a dock."""
        return QSize(220, round(_LINES * self.fontMetrics().height()))

    def paintEvent(self, _: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the frame, its numbers and words, and what is in it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().color(self.foregroundRole())
        letters, numbers = painter.fontMetrics(), self._numbers()
        widest = max(letters.horizontalAdvance(told) for _, told in numbers)
        area = QRectF(self.rect()).adjusted(widest + _MARGIN, _MARGIN, -_MARGIN, 0)
        words = [told for told in (self._label, self._extent()) if told]
        needed = letters.horizontalAdvance("  ".join(words))
        lines = 1 if needed <= area.width() else len(words)
        area.setBottom(area.bottom() - lines * letters.height() - _MARGIN / 2)
        faint = QColor(text)
        faint.setAlpha(90)
        painter.setPen(QPen(faint, 1))
        painter.drawRect(area)
        painter.setPen(text)
        for value, told in numbers:
            at = self._height(value, area) - letters.height() / 2
            top = min(max(at, 0.0), self.height() - lines * letters.height())
            box = QRectF(0, top, area.left() - _MARGIN / 2, letters.height())
            painter.drawText(box, Qt.AlignmentFlag.AlignRight, told)
        below = QRectF(self.rect())
        below.setTop(area.bottom() + _GAP)
        below.setRight(area.right())
        if lines == 1:
            below.setLeft(area.left())
        sides = Qt.AlignmentFlag
        painter.drawText(below, sides.AlignLeft | sides.AlignTop, self._label)
        last = sides.AlignTop if lines == 1 else sides.AlignBottom
        painter.drawText(below, sides.AlignRight | last, self._extent())
        self._draw(painter, area, text)
        painter.end()

    @abstractmethod
    def _numbers(self) -> Sequence[tuple[float, str]]:
        """Return the values on the left, at least one, and their texts."""

    @abstractmethod
    def _extent(self) -> str:
        """Return the range of the horizontal axis in words."""

    @abstractmethod
    def _height(self, value: float, area: QRectF) -> float:
        """Return the vertical place of a value, in pixels."""

    @abstractmethod
    def _draw(self, painter: QPainter, area: QRectF, text: QColor) -> None:
        """Draw what is in the frame."""


class FitPlot(Plot):
    """A value on a logarithmic scale over the time of a fit; a mark shows its end.

    Parameters
    ----------
    label : str
        What the value is, with its unit.
    tip : str
        Tooltip.
    reference : float or None
        A value that is drawn as a dashed line, such as the noise level; the axis then
        shows at least half and twice of it.
    suffix : str
        Unit behind each number of the axis.
    """

    def __init__(
        self, label: str, tip: str, reference: float | None = None, suffix: str = ""
    ) -> None:
        super().__init__(label, tip)
        self._reference, self._suffix = reference, suffix
        self._points: list[tuple[float, float]] = []
        self._ended = False

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """The points of the curve: seconds and values."""
        return tuple(self._points)

    @property
    def ended(self) -> bool:
        """Whether the last point is marked as the end of the fit."""
        return self._ended

    def clear(self, label: str | None = None) -> None:
        """Remove the curve, and begin that of another value if a label is given."""
        if label is not None:
            self.label = label
        self._points, self._ended = [], False
        self.update()

    def add(self, seconds: float, value: float, *, ended: bool = False) -> None:
        """Add a point; the first point of a new fit starts a new curve.

        Parameters
        ----------
        seconds : float
            Time since the start.
        value : float
            The value; ignored unless finite and positive.
        ended : bool
            Whether the fit ended there. A plane predicted by networks that were trained
            on other planes has this one point alone.
        """
        if not (math.isfinite(value) and value > 0):
            return
        if self._ended and not ended:
            self._points = []
        self._points.append((seconds, value))
        if len(self._points) > _MOST_POINTS:
            # The last point stays: it may be the end of the fit.
            self._points = self._points[:-1:2] + self._points[-1:]
        self._ended = ended
        self.update()

    def _numbers(self) -> Sequence[tuple[float, str]]:
        low, high = self._range
        values = {low, self._reference or high, high}
        return [(value, in_digits(value, 2) + self._suffix) for value in values]

    def _extent(self) -> str:
        return f"{_period(*self._span)} s" if self._points else ""

    def _draw(self, painter: QPainter, area: QRectF, text: QColor) -> None:
        if self._reference is not None:
            level = self._height(self._reference, area)
            painter.setPen(QPen(text, 1, Qt.PenStyle.DashLine))
            painter.drawLine(QPointF(area.left(), level), QPointF(area.right(), level))
        if not self._points:
            return
        first, last = self._span
        scale = area.width() / (last - first) if last > first else 0.0
        points = [
            QPointF(area.right() - scale * (last - at), self._height(value, area))
            for at, value in self._points
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
        """First and last second of the curve."""
        return self._points[0][0], self._points[-1][0]

    @property
    def _range(self) -> tuple[float, float]:
        values = [value for _, value in self._points] or [1.0]
        if self._reference is not None:
            values += [self._reference / _ROOM, self._reference * _ROOM]
        low, high = min(values), max(values)
        return (low, high) if low < high else (low / _ROOM, high * _ROOM)

    def _height(self, value: float, area: QRectF) -> float:
        low, high = (math.log(end) for end in self._range)
        share = (math.log(value) - low) / (high - low)
        return float(area.bottom() - area.height() * share)


@dataclass(frozen=True)
class Curve:
    """Measured points and the model fitted to them, each as (x, y)."""

    points: tuple[tuple[float, float], ...]
    model: tuple[tuple[float, float], ...]


class CurvePlot(Plot):
    """Measured points as circles and their model as a line, from 0 up.

    Parameters
    ----------
    across : str
        What the horizontal axis is.
    tip : str
        Tooltip.
    """

    def __init__(self, across: str, tip: str) -> None:
        super().__init__("", tip)
        self._across = across
        self._curves: tuple[Curve, ...] = ()

    @property
    def curves(self) -> tuple[Curve, ...]:
        """Name of the plotted quantity."""
        return self._curves

    def show_curves(self, curves: Sequence[Curve], label: str) -> None:
        """Show other curves; the label says what their values are."""
        self._curves = tuple(curves)
        self.label = label
        self.update()

    def _all(self, axis: int) -> list[float]:
        both = [at for one in self._curves for at in (*one.points, *one.model)]
        return [at[axis] for at in both] or [0.0]

    def _numbers(self) -> Sequence[tuple[float, str]]:
        return [(value, in_digits(value)) for value in (0.0, max(self._all(1)))]

    def _extent(self) -> str:
        least, most = min(self._all(0)), max(self._all(0))
        return f"{self._across} {in_digits(least)} to {in_digits(most)}"

    def _height(self, value: float, area: QRectF) -> float:
        return float(area.bottom() - area.height() * value / (max(self._all(1)) or 1.0))

    def _draw(self, painter: QPainter, area: QRectF, text: QColor) -> None:
        first, last = min(self._all(0)), max(self._all(0))
        scale = area.width() / ((last - first) or 1.0)

        def place(at: tuple[float, float]) -> QPointF:
            return QPointF(
                area.left() + scale * (at[0] - first), self._height(at[1], area)
            )

        for one in self._curves:
            painter.setPen(QPen(_CURVE, 1.5))
            painter.drawPolyline(QPolygonF([place(at) for at in one.model]))
            painter.setPen(QPen(text, 1))
            for at in one.points:
                painter.drawEllipse(place(at), _DOT, _DOT)


def _period(first: float, last: float) -> str:
    """Return the first and the last second as text."""
    digits = 1 if last - first < _FINE_BELOW_S else 0
    return f"{first:.{digits}f} to {last:.{digits}f}"
