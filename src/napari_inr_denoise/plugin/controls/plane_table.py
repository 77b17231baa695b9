"""The table of a result's planes; a selected row shows its plane in the viewer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
)

from napari_inr_denoise.batch.report.outliers import oddities_of, residual_ratio
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.plugin.controls.messages import plane_lines

if TYPE_CHECKING:
    from napari.components import Dims

    from napari_inr_denoise.core.report.report import PlaneReport

_COLUMNS = ("plane", "noise", "resid.", "error", "trust", "steps", "end")
_TIPS = (
    "",
    "Noise level",
    "Residual: what was removed (RMS), as a multiple of the noise level",
    "Expected error (RMS), measured on held-out pixels",
    "Verdict: what was removed is noise only, more than noise (perhaps structure too), "
    "or the noise is correlated",
    "Number of optimisation steps",
    "Why the fit ended",
)
_HEIGHTS = (72, 150)
"""Smallest and largest height in pixels: a table of many rows scrolls."""


class PlaneTable(QTableWidget):
    """Noise, residual, error, verdict and stop reason of each plane, one row each.

    Hidden for a single plane. Conspicuous planes are bold, and their tooltip says why.
    """

    chosen = Signal(object)
    """Emitted with the index of the selected plane, an integer for each axis."""

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self._planes: Sequence[PlaneReport] = ()
        self.setHorizontalHeaderLabels(_COLUMNS)
        for column, tip in enumerate(_TIPS):
            head = self.horizontalHeaderItem(column)
            assert head is not None  # the headers were just set
            head.setToolTip(tip)
        across, down = self.horizontalHeader(), self.verticalHeader()
        assert across is not None
        assert down is not None
        across.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        down.setVisible(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        least, most = _HEIGHTS
        self.setMinimumHeight(least)
        self.setMaximumHeight(most)
        self.setToolTip(
            "One row for each plane, bold if something is unusual. Select a row to see "
            "the plane."
        )
        # Tab leaves the table; the arrow keys move between rows.
        self.setTabKeyNavigation(False)
        self.itemSelectionChanged.connect(self._choose)
        self.setVisible(False)

    def show_planes(self, planes: Sequence[PlaneReport]) -> None:
        """Replace the rows by those of other planes."""
        self._planes = ()  # selections in the meantime are not the user's
        self.clearSelection()
        self.setRowCount(len(planes))
        for row, plane in enumerate(planes):
            odd = [oddity.words for oddity in oddities_of(plane)]
            tip = "\n".join(dict.fromkeys([*odd, *plane_lines(plane)]))
            for column, text in enumerate(_cells(plane)):
                item = QTableWidgetItem(text)
                item.setToolTip(tip)
                font = item.font()
                font.setBold(bool(odd))
                item.setFont(font)
                if column:
                    flags = Qt.AlignmentFlag
                    item.setTextAlignment(flags.AlignRight | flags.AlignVCenter)
                self.setItem(row, column, item)
        self._planes = planes
        self.setVisible(len(planes) > 1)

    def _choose(self) -> None:
        row = self.currentRow()
        if self.selectedItems() and row < len(self._planes):
            self.chosen.emit(self._planes[row].index)


def _cells(plane: PlaneReport) -> tuple[str, ...]:
    sigma, error = plane.noise.sigma, plane.quality.held_out_error
    ratio, verdict = residual_ratio(plane), plane.quality.verdict
    return (
        ", ".join(f"{axis} {at}" for axis, at in plane.index.items()),
        "-" if sigma is None else f"{sigma:.3g}",
        "-" if ratio is None else f"{ratio:.2f}",
        "-" if error is None else f"{error:.3g}",
        "-" if verdict is None else Verdict(verdict).label,
        f"{plane.steps}",
        StopReason(plane.reason).label,
    )


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
