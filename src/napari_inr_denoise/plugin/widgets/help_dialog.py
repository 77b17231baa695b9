"""Help that needs no network: a page in a window of its own."""

from __future__ import annotations

from importlib.metadata import metadata
from importlib.resources import files

from qtpy.QtCore import QSize
from qtpy.QtWidgets import QDialog, QTextBrowser, QVBoxLayout, QWidget

_SIZE = QSize(460, 640)


class HelpDialog(QDialog):
    """Shows what the panel does; the panel can be used meanwhile.

    Parameters
    ----------
    parent : QWidget
        The panel.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("INR Denoise: help")
        self.text = QTextBrowser()
        self.text.setOpenExternalLinks(True)
        self.text.setMarkdown(help_text())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)
        self.resize(_SIZE)


def help_text() -> str:
    """Return the page, with the documentation's address where one is known."""
    text = files("napari_inr_denoise.plugin").joinpath("help.md").read_text("utf-8")
    page = documentation()
    return f"{text}- [Documentation]({page})\n" if page else text


def documentation() -> str:
    """Return the address of the documentation; empty if this installation has none."""
    pairs = metadata("napari-inr-denoise").get_all("Project-URL") or []
    pages = dict(pair.split(", ", 1) for pair in pairs)
    return str(pages.get("Documentation", ""))
