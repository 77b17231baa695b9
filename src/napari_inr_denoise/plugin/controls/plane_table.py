"""The table of a result's planes: sortable, and together with the slider."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import QEvent, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
)

from napari_inr_denoise.batch.report.outliers import oddities_of, residual_ratio
from napari_inr_denoise.core.report.numbers import in_digits
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.plugin.controls.messages import plane_lines
from napari_inr_denoise.plugin.layers.source.displayed import in_layer_units

if TYPE_CHECKING:
    from napari.components import Dims

    from napari_inr_denoise.core.report.report import PlaneReport

_COLUMNS = ("plane", "error", "residual", "check", "noise")
"""Few enough for the narrowest panel; tooltips have the steps and how a fit ended."""
_FOUND = {
    Verdict.NOISE_ONLY: "noise",
    Verdict.STRUCTURE: "structure",
    Verdict.CORRELATED: "correlated",
}
_TIPS = (
    "Position of the plane; bold if there is something to review",
    "Estimated RMSE, measured on held-out pixels, in units of the image",
    "Residual (RMS), as a multiple of the noise level",
    "What the residual is: noise only, structure as well, or correlated noise",
    "Noise level sigma, in units of the image",
)
_ROW_PADDING = 7
"""Pixels of a row above and below its text."""
_SLACK = 3
"""Pixels of the lines between header and rows."""
_MOST_ROWS = 7
"""A table of more rows scrolls."""


class PlaneTable(QTableWidget):
    """Error, noise, residual and verdict of each plane, one row each.

    The names of planes to review are bold with a sign, and their tooltip says why.
    """

    chosen = Signal(object)
    """Emitted with the index of the selected plane, an integer for each axis."""

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self._planes: Sequence[PlaneReport] = ()
        self._going = False
        self.setHorizontalHeaderLabels(_COLUMNS)
        for column, tip in enumerate(_TIPS):
            head = self.horizontalHeaderItem(column)
            assert head is not None  # the headers were just set
            head.setToolTip(tip)
        across, down = self.horizontalHeader(), self.verticalHeader()
        assert across is not None
        assert down is not None
        across.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        across.setMinimumSectionSize(0)
        down.setVisible(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setToolTip("Select a row to see its plane; click a heading to sort.")
        self.setAccessibleName("Planes")
        self.setSortingEnabled(True)
        # Tab leaves the table; the arrow keys move between rows.
        self.setTabKeyNavigation(False)
        self.itemSelectionChanged.connect(self._choose)
        across.sectionPressed.connect(lambda: across.setSortIndicatorShown(True))
        # Not before: what is under the mouse would move.
        across.sectionClicked.connect(self._fit_columns)

    def show_planes(self, planes: Sequence[PlaneReport]) -> None:
        """Replace the rows by those of other planes, in their order."""
        self._planes = ()  # selections in the meantime are not the user's
        self.setSortingEnabled(False)
        self.clearSelection()
        self.setRowCount(len(planes))
        for row, plane in enumerate(planes):
            odd = [oddity.words for oddity in oddities_of(plane)]
            tip = "\n".join(dict.fromkeys([*odd, *plane_lines(plane)]))
            for column, (text, key) in enumerate(_cells(plane, row, bool(odd))):
                item = _Cell(text, key, row)
                item.setToolTip(tip)
                font = item.font()
                font.setBold(bool(odd) and not column)
                item.setFont(font)
                if isinstance(key, float):
                    flags = Qt.AlignmentFlag
                    item.setTextAlignment(flags.AlignRight | flags.AlignVCenter)
                self.setItem(row, column, item)
        across = self.horizontalHeader()
        if across is not None:
            across.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        if across is not None:
            across.setSortIndicatorShown(False)  # each column has room for it else
        self._planes = planes
        self._fit_columns()
        self._fit_rows()

    def _fit_columns(self, _: object = None) -> None:
        """Give each column the width of its texts, and share out what is left."""
        across, room = self.horizontalHeader(), self.viewport()
        assert across is not None
        assert room is not None
        columns = range(self.columnCount())
        needed = [
            max(self.sizeHintForColumn(k), across.sectionSizeHint(k)) for k in columns
        ]
        share, rest = divmod(max(room.width() - sum(needed), 0), len(columns))
        for k, width in enumerate(needed):
            self.setColumnWidth(k, width + share + (k < rest))

    def _fit_rows(self) -> None:
        """Take as much height as the rows need, within limits."""
        across, down = self.horizontalHeader(), self.verticalHeader()
        bar = self.horizontalScrollBar()
        assert across is not None
        assert down is not None
        assert bar is not None
        height = self.fontMetrics().height() + _ROW_PADDING
        down.setDefaultSectionSize(height)
        around = across.sizeHint().height() + 2 * self.frameWidth() + _SLACK
        if bar.maximum():
            around += bar.sizeHint().height()
        self.setFixedHeight(around + height * min(self.rowCount(), _MOST_ROWS))

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Follow the size of the font."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.FontChange:
            self._fit_columns()
            self._fit_rows()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Use the whole width, and leave room for the bar that a narrow panel needs."""
        super().resizeEvent(event)
        self._fit_columns()
        self._fit_rows()

    def mark(self, index: dict[str, int]) -> None:
        """Select the row of a plane, without going there."""
        if self._planes and not self._going:
            for row in range(self.rowCount()):
                if self._plane_of(row).index == index:
                    self.blockSignals(True)
                    self.selectRow(row)
                    self.blockSignals(False)
                    return

    def _plane_of(self, row: int) -> PlaneReport:
        item = self.item(row, 0)
        assert isinstance(item, _Cell)
        return self._planes[item.number]

    def _choose(self) -> None:
        row = self.currentRow()
        if self.selectedItems() and 0 <= row < len(self._planes):
            self._going = True
            self.chosen.emit(self._plane_of(row).index)
            self._going = False


class _Cell(QTableWidgetItem):
    """A cell that is sorted by a key, and knows the number of its plane."""

    def __init__(self, text: str, key: float | str, number: int) -> None:
        super().__init__(text)
        self.key, self.number = key, number

    def __lt__(self, other: QTableWidgetItem) -> bool:
        if not isinstance(other, _Cell):
            return False
        if isinstance(self.key, float) and isinstance(other.key, float):
            return self.key < other.key
        return str(self.key) < str(other.key)


def _cells(
    plane: PlaneReport, number: int, odd: bool
) -> tuple[tuple[str, float | str], ...]:
    """Return text and sort key of each column."""
    name = " ".join(f"{axis} {at}" for axis, at in plane.index.items())
    verdict = plane.quality.verdict
    found = "-" if verdict is None else _FOUND[Verdict(verdict)]
    sign = "\u26a0 " if odd else ""
    return (
        (sign + name, float(number)),
        _number(plane.quality.held_out_error, in_digits),
        _number(residual_ratio(plane), "{:.2f}".format),
        (found, found),
        _number(plane.noise.sigma, in_digits),
    )


def _number(value: float | None, text: Callable[[float], str]) -> tuple[str, float]:
    return ("-", -math.inf) if value is None else (text(value), value)


def plane_at(dims: Dims, layer: Image, axes: str) -> dict[str, int]:
    """Return the index of the plane of a layer that the viewer shows."""
    point = in_layer_units(layer, dims)[-layer.ndim :]
    places = layer.world_to_data(point)
    return {
        letter: round(float(place))
        for letter, place in zip(axes, places, strict=False)
        if letter not in "YXS"
    }


def go_to_plane(dims: Dims, layer: Image, axes: str, index: dict[str, int]) -> None:
    """Move the viewer to a plane of a layer.

    Parameters
    ----------
    dims : Dims
        Dimensions of the viewer.
    layer : Image
        The layer.
    axes : str
        A letter for each dimension of the layer.
    index : dict
        Index of the plane by axis letter.
    """
    place = [index.get(letter, 0) for letter in axes[: layer.ndim]]
    world = layer.data_to_world(place)
    offset = dims.ndim - layer.ndim
    units = getattr(dims, "units", None)
    for axis, letter in enumerate(axes[: layer.ndim]):
        if letter not in index:
            continue
        value = world[axis]
        if units is not None:  # the viewer may have other units than the layer
            value = (value * layer.units[axis]).to(units[offset + axis]).magnitude
        dims.set_point(offset + axis, float(value))
