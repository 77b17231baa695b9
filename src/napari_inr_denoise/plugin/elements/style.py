"""The panel's look: napari's theme and font size, and accents without a rule."""

from __future__ import annotations

from contextlib import suppress

import napari
from napari.resources import get_colorized_svg, get_icon_path
from napari.settings import get_settings
from napari.utils.theme import get_theme
from qtpy.QtCore import QSize
from qtpy.QtGui import QIcon, QPixmap
from qtpy.QtWidgets import QPushButton, QWidget

ROLE = "role"
"""Qt property that chooses a rule of the style sheet."""
_ICON_PIXELS = 64
"""Side of a drawn icon: large enough for a screen of high density."""
_FAINT = 150
"""Opacity, of 255, of words on a button that cannot be pressed now."""
_QUIET = 190
"""The same of words that only some users need."""
_RULES = """
QPushButton {{ border: 1px solid transparent; }}
QPushButton:focus, QComboBox:focus, QAbstractSpinBox:focus, QSlider:focus,
QTableView:focus, QCheckBox:focus, QLineEdit:focus {{ border: 1px solid {text}; }}
QPushButton[role="primary"] {{
  background-color: {current}; color: {text}; font-weight: bold; padding: 6px;
}}
QPushButton[role="primary"]:hover {{ background-color: {highlight}; }}
QPushButton[role="primary"]:disabled {{
  background-color: {primary}; color: {faint};
}}
QPushButton[role="title"] {{
  background-color: transparent; text-align: left; padding: 3px; font-weight: bold;
}}
QPushButton[role="segment"] {{ padding: 4px 1px; }}
QPushButton[role="segment"]:checked:disabled {{
  background-color: {primary}; color: {faint}; border: 1px solid {secondary};
}}
QPushButton[role="icon"] {{ background-color: transparent; padding: 3px; }}
QLineEdit, QPlainTextEdit, QTableView, QHeaderView, QWidget[role="plot"] {{
  font-size: {size}pt;
}}
QLabel[role="title"] {{ font-weight: bold; padding: 3px 0px; }}
QLabel[role="quiet"] {{ color: {quiet}; }}
QLabel[role="chip"] {{
  background-color: {primary}; border-radius: 8px; padding: 2px 8px;
}}
QLabel[role="warning"] {{
  background-color: {warning}; color: #1e1e21; border-radius: 8px; padding: 2px 8px;
}}
QHeaderView::section {{ padding: 2px 4px; font-weight: normal; }}
QFrame[role="line"] {{ background-color: {primary}; }}
QScrollArea {{ border: 0px; }}
QTabWidget::pane {{ border: 0px; border-top: 1px solid {primary}; }}
QTabBar {{ qproperty-drawBase: 0; background-color: transparent; }}
QTabBar::tab {{
  background-color: transparent; padding: 5px 14px; border: 0px;
  border-bottom: 2px solid transparent;
}}
QTabBar::tab:selected {{ border-bottom: 2px solid {current}; font-weight: bold; }}
QTabBar::tab:hover {{ background-color: {primary}; }}
QTabBar::tab:focus {{ border: 1px solid {text}; }}
"""


def set_role(widget: QWidget, role: str) -> None:
    """Let a widget look as the style sheet says for a role."""
    widget.setProperty(ROLE, role)
    style = widget.style()
    if style is not None:
        style.unpolish(widget)
        style.polish(widget)


class ThemeStyle:
    """Gives a panel the colours of the viewer's theme, and napari's font size.

    Parameters
    ----------
    panel : QWidget
        The panel.
    viewer : napari.Viewer
        With the theme.
    icons : dict
        Buttons by the name of their icon in napari, see `napari.resources`.
    """

    def __init__(
        self, panel: QWidget, viewer: napari.Viewer, icons: dict[str, QPushButton]
    ) -> None:
        self._panel, self._viewer, self._icons = panel, viewer, icons
        self.follow()

    def follow(self) -> None:
        """Take the colours and the font size that the viewer has now."""
        theme = get_theme(self._viewer.theme)
        names = ("text", "current", "highlight", "primary", "secondary", "warning")
        colours = {name: str(getattr(theme, name)) for name in names}
        red, green, blue = theme.text.as_rgb_tuple()[:3]
        for name, opacity in (("faint", _FAINT), ("quiet", _QUIET)):
            colours[name] = f"rgba({red}, {green}, {blue}, {opacity})"
        # napari has no rule for some controls, which would keep the system's size.
        size = get_settings().appearance.font_size
        self._panel.setStyleSheet(_RULES.format(**colours, size=size))
        for name, button in self._icons.items():
            button.setIcon(napari_icon(name, str(theme.icon)))


def napari_icon(name: str, colour: str) -> QIcon:
    """Return one of napari's icons in a colour; empty if napari has it no more."""
    picture = QPixmap()
    with suppress(ValueError):
        drawn = get_colorized_svg(get_icon_path(name), colour)
        picture.loadFromData(drawn.encode(), "SVG")
    if not picture.isNull():
        picture = picture.scaled(QSize(_ICON_PIXELS, _ICON_PIXELS))
    return QIcon(picture)
