"""Layout of the rows of a docked widget."""

from __future__ import annotations

from magicgui.widgets import Container, Label, Widget
from qtpy.QtWidgets import QWidget

_LABEL_PIXELS = 70
_DOCK_PIXELS = 300
BAR_STEPS = 1000
"""Steps of a progress bar: enough to move smoothly."""


def row(*widgets: Widget) -> Container[Widget]:
    """Return a row of widgets side by side."""
    made = Container(widgets=widgets, layout="horizontal", labels=False)
    made.margins = (0, 0, 0, 0)
    return made


def arrange(form: Container[Widget], width: int = _DOCK_PIXELS) -> None:
    """Align the rows of a form, wrap long texts, and move all rows to the top.

    Parameters
    ----------
    form : Container
        With all its rows.
    width : int
        Smallest width in pixels that fits the rows and the title of the dock.
    """
    for widget in form:
        layout = widget.native.parentWidget().layout()
        layout.itemAt(0).widget().setMinimumWidth(_LABEL_PIXELS)
        if isinstance(widget, Label):
            _let_wrap(widget)
    form.native.setMinimumWidth(width)
    form.native.layout().addStretch()


def insert_below(widget: Widget, native: QWidget) -> None:
    """Insert a Qt widget below a row of an arranged form."""
    own_row = widget.native.parentWidget()
    layout = own_row.parentWidget().layout()
    layout.insertWidget(layout.indexOf(own_row) + 1, native)


def _let_wrap(label: Label) -> None:
    label.native.setWordWrap(True)
    policy = label.native.sizePolicy()
    policy.setHorizontalPolicy(policy.Policy.Expanding)
    label.native.setSizePolicy(policy)


def show_text(label: Label, text: str) -> None:
    """Show a text in a label, with enough height for all its lines.

    A layout keeps the height of a wrapping label, and would clip a longer text.
    """
    label.value = text
    # Without this, the new height would be at least that of the last text.
    label.native.setMinimumHeight(0)
    label.native.setMinimumHeight(label.native.heightForWidth(label.native.width()))
