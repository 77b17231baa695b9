"""Rows of a docked widget: aligned, wrapped, gathered at the top."""

from __future__ import annotations

from magicgui.widgets import Container, Label, Widget
from qtpy.QtWidgets import QWidget

_LABEL_PIXELS = 70
_DOCK_PIXELS = 300
BAR_STEPS = 1000
"""Of a progress bar, so that it moves smoothly."""


def row(*widgets: Widget) -> Container[Widget]:
    """Return widgets side by side."""
    made = Container(widgets=widgets, layout="horizontal", labels=False)
    made.margins = (0, 0, 0, 0)
    return made


def arrange(form: Container[Widget], width: int = _DOCK_PIXELS) -> None:
    """Align the rows of a form, let texts wrap, and gather all at the top.

    Parameters
    ----------
    form : Container
        With all of its rows.
    width : int
        Least width, in pixels, for the rows and the title of the dock.
    """
    for widget in form:
        layout = widget.native.parentWidget().layout()
        layout.itemAt(0).widget().setMinimumWidth(_LABEL_PIXELS)
        if isinstance(widget, Label):
            _let_wrap(widget)
    form.native.setMinimumWidth(width)
    form.native.layout().addStretch()


def insert_below(widget: Widget, native: QWidget) -> None:
    """Insert a widget of Qt's own below a row of an arranged form."""
    own_row = widget.native.parentWidget()
    layout = own_row.parentWidget().layout()
    layout.insertWidget(layout.indexOf(own_row) + 1, native)


def _let_wrap(label: Label) -> None:
    label.native.setWordWrap(True)
    policy = label.native.sizePolicy()
    policy.setHorizontalPolicy(policy.Policy.Expanding)
    label.native.setSizePolicy(policy)


def show_text(label: Label, text: str) -> None:
    """Show a text that may take several lines, with room for all of them.

    A layout gives a wrapping label the height of its last text, and clips the new one.
    """
    label.value = text
    # Or the height asked for would be at least that of the last text.
    label.native.setMinimumHeight(0)
    label.native.setMinimumHeight(label.native.heightForWidth(label.native.width()))
