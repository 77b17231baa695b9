"""The line between two images, on the canvas and always within it."""

from __future__ import annotations

from collections.abc import Sequence

import napari
import numpy as np
from napari.layers import Image
from numpy.typing import NDArray
from qtpy.QtCore import (  # type: ignore[attr-defined]
    QEvent,
    QObject,
    QPointF,
    QRect,
    Qt,
    QTimer,
    Signal,
)
from qtpy.QtGui import (
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QRegion,
)
from qtpy.QtWidgets import QWidget

from napari_inr_denoise.plugin.layers.source.displayed import in_layer_units
from napari_inr_denoise.plugin.results.split_array import SplitArray
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open

_HALF_WIDTH = 110
"""Half of the width of the labels beside the line, in pixels."""
_GRIP, _RADIUS = 8, 11
"""Half width of what can be dragged, and radius of the handle, in pixels."""
_LABEL_TOP, _LABEL_HEIGHT = 8, 20
_KEY_STEP = 0.02
_REST_MS = 15
"""Time between two drawings while the line is dragged, in milliseconds."""
_EDGE = 0.02
"""Smallest distance of the line from the edges, as a share of the canvas."""


class SplitLine:
    """Cuts a `SplitArray` where a line on the canvas is, whatever the canvas shows.

    The line stays where it is on the screen while the image is moved or enlarged below
    it; so it is never out of view.

    Parameters
    ----------
    panel : QWidget
        In the window of the canvas.
    viewer : napari.Viewer
        With camera and dimensions.
    lifetime : Lifetime
        Lifetime of the panel.

    Attributes
    ----------
    position : float
        Place of the line as a share of the width of the canvas.
    """

    def __init__(
        self, panel: QWidget, viewer: napari.Viewer, lifetime: Lifetime
    ) -> None:
        self._panel, self._viewer, self._lifetime = panel, viewer, lifetime
        self._split: tuple[tuple[SplitArray, Image], ...] = ()
        self._handle: _Handle | None = None
        self._position = 0.5
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._cut)
        dims, camera = viewer.dims.events, self._camera.events
        for event in (dims.order, dims.ndisplay, dims.current_step, camera):
            event.connect(self._follow)

    @property
    def position(self) -> float:
        """Place of the line as a share of the width of the canvas."""
        return self._position

    @position.setter
    def position(self, position: float) -> None:
        self._position = float(np.clip(position, _EDGE, 1 - _EDGE))
        if self._handle is not None:
            self._handle.place(self._position)
        self._timer.start(_REST_MS)

    @property
    def handle(self) -> QWidget | None:
        """The line on the canvas; None while there is none."""
        return self._handle

    @property
    def _camera(self) -> napari.components.Camera:
        # It is in `scene` since napari 0.9.
        return getattr(self._viewer, "scene", self._viewer).camera

    def begin(
        self, split: Sequence[tuple[SplitArray, Image]], labels: tuple[str, str]
    ) -> None:
        """Show the line.

        Parameters
        ----------
        split : sequence of (SplitArray, Image)
            The arrays to cut, and the layers that show them.
        labels : tuple of str
            Names of the image on the left and of the one on the right.
        """
        self._split = tuple(split)
        canvas = canvas_of(self._panel)
        if canvas is not None:
            self._handle = _Handle(canvas, labels)
            self._handle.moved.connect(self._drag)
            self._handle.place(self._position)
            self._handle.show()

    def end(self) -> None:
        """Take the line away."""
        handle, self._handle = self._handle, None
        self._split = ()
        if handle is not None:
            handle.hide()
            handle.deleteLater()

    def _drag(self, position: float) -> None:
        self.position = position

    @while_open
    def _follow(self, _: object) -> None:
        if self._split and not self._timer.isActive():
            self._timer.start(_REST_MS)

    @while_open
    def _cut(self) -> None:
        """Cut the arrays where the line is, and draw them."""
        for array, layer in self._split:
            before = (array.axis, array.divide, array.mirrored)
            self.aim(array, layer)
            if (array.axis, array.divide, array.mirrored) != before:
                layer.refresh(extent=False)

    def aim(self, array: SplitArray, layer: Image) -> None:
        """Cut an array where the line is.

        Parameters
        ----------
        array : SplitArray
            The array to cut.
        layer : Image
            A layer of its shape, in its place.
        """
        dims = self._viewer.dims
        offset = dims.ndim - layer.ndim
        shown = [axis - offset for axis in dims.displayed[-2:] if axis >= offset]
        across = dims.displayed[-1] - offset
        origin = np.asarray(layer.data_to_world(np.zeros(layer.ndim)))
        steps = [
            (np.asarray(layer.data_to_world(unit)) - origin)[across]
            for unit in np.eye(layer.ndim)[shown]
        ]
        longest = int(np.argmax(np.abs(steps)))
        array.axis = shown[longest]
        leftward = self._right_to_left()
        array.mirrored = bool((steps[longest] < 0) ^ leftward)
        size = array.shape[array.axis]
        place = self._position
        if dims.ndisplay == 2:
            edge = self._data_under(layer, leftward)[array.axis] + 0.5
            share = float(np.clip(edge / size, 0, 1))
            place = 1 - share if array.mirrored else share
        array.divide = place

    def _data_under(self, layer: Image, leftward: bool) -> NDArray[np.float64]:
        """Return the place in a layer's data that is under the middle of the line."""
        dims, camera = self._viewer.dims, self._camera
        canvas = canvas_of(self._panel)
        width = 1 if canvas is None else max(canvas.width(), 1)
        pixels = (self._position - 0.5) * width * (-1 if leftward else 1)
        point = np.array(dims.point, dtype=float)
        down, right = dims.displayed[-2:]
        point[down] = camera.center[-2]
        point[right] = camera.center[-1] + pixels / max(camera.zoom, 1e-12)
        own = in_layer_units(layer, dims, point)[-layer.ndim :]
        return np.asarray(layer.world_to_data(own), dtype=float)

    def _right_to_left(self) -> bool:
        # The camera has an orientation since napari 0.6.
        return bool(getattr(self._camera, "orientation2d", ("", ""))[1] == "left")


class _Handle(QWidget):
    """A thin line with a round handle, over the whole height of the canvas."""

    moved = Signal(float)
    """Emitted with the place that the user drags it to, as a share of the width."""

    def __init__(self, canvas: QWidget, labels: tuple[str, str]) -> None:
        super().__init__(canvas)
        self._texts = labels
        self._position = 0.5
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Line between {} and {}".format(*labels))
        self.setAccessibleDescription("Arrow keys move it")
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        canvas.installEventFilter(self)

    def place(self, position: float) -> None:
        """Move to a share of the width of the canvas."""
        self._position = position
        canvas = self.parentWidget()
        if canvas is None:
            return
        middle = round(position * canvas.width())
        self.setGeometry(middle - _HALF_WIDTH, 0, 2 * _HALF_WIDTH, canvas.height())
        grip = QRegion(_HALF_WIDTH - _GRIP, 0, 2 * _GRIP, self.height())
        around = self._circle.adjusted(-3, -3, 3, 3)
        round_part = QRegion(around, QRegion.RegionType.Ellipse)
        self.setMask(grip + round_part + QRegion(self._labels))
        self.update()

    @property
    def _circle(self) -> QRect:
        top = self.height() // 2 - _RADIUS
        return QRect(_HALF_WIDTH - _RADIUS, top, 2 * _RADIUS, 2 * _RADIUS)

    @property
    def _labels(self) -> QRect:
        return QRect(0, _LABEL_TOP, 2 * _HALF_WIDTH, _LABEL_HEIGHT)

    def eventFilter(  # noqa: N802 - Qt's name
        self, watched: QObject | None, event: QEvent | None
    ) -> bool:
        """Follow the size of the canvas."""
        del watched
        if event is not None and event.type() == QEvent.Type.Resize:
            self.place(self._position)
        return False

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Drag the line."""
        canvas = self.parentWidget()
        if event is not None and canvas is not None:
            at = self.mapToParent(event.position().toPoint()).x()
            self.moved.emit(at / max(canvas.width(), 1))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802
        """Take the press: the canvas below must not pan."""
        if event is not None:
            event.accept()

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802
        """Move the line by the arrow keys."""
        steps = {Qt.Key.Key_Left: -_KEY_STEP, Qt.Key.Key_Right: _KEY_STEP}
        if event is not None and event.key() in steps:
            self.moved.emit(self._position + steps[Qt.Key(event.key())])
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _: QPaintEvent | None) -> None:  # noqa: N802
        """Draw line, handle and labels."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dark, light = QColor(0, 0, 0, 150), QColor(255, 255, 255)
        for colour, width in ((dark, 4), (light, 2)):
            painter.setPen(QPen(colour, width))
            painter.drawLine(_HALF_WIDTH, 0, _HALF_WIDTH, self.height())
        circle = self._circle
        painter.setPen(QPen(dark, 3 if self.hasFocus() else 1))
        painter.setBrush(light)
        painter.drawEllipse(circle)
        painter.setPen(QPen(QColor(40, 40, 40), 2))
        middle = QPointF(circle.center())
        for side in (-1, 1):
            tip = middle + QPointF(side * 7, 0)
            painter.drawLine(tip, tip + QPointF(-side * 4, -4))
            painter.drawLine(tip, tip + QPointF(-side * 4, 4))
        self._draw_labels(painter, dark, light)
        painter.end()

    def _draw_labels(self, painter: QPainter, dark: QColor, light: QColor) -> None:
        labels = self._labels
        gap = 6
        letters = painter.fontMetrics()
        for text, right in zip(self._texts, (False, True), strict=True):
            width = letters.horizontalAdvance(text) + 10
            left = _HALF_WIDTH + gap if right else _HALF_WIDTH - gap - width
            box = QRect(left, labels.top(), width, labels.height())
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(dark)
            painter.drawRoundedRect(box, 4, 4)
            painter.setPen(light)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def canvas_of(panel: QWidget) -> QWidget | None:
    """Return the canvas of the window that a panel is in; None if there is none."""
    window = panel
    while (parent := window.parentWidget()) is not None:
        window = parent
    drawn = [one for one in window.findChildren(QWidget) if _is_canvas(one)]
    return max(drawn, key=lambda one: one.width() * one.height(), default=None)


def _is_canvas(widget: QWidget) -> bool:
    return widget.inherits("QOpenGLWidget") and widget.isVisible()
