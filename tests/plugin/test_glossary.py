"""The glossary explains every label of the panel."""

from __future__ import annotations

import re

import pytest
from qtpy.QtWidgets import QAbstractButton, QTableWidget, QWidget

from napari_inr_denoise.plugin.elements.form import RowLabel
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.doc_blocks import ROOT

pytestmark = pytest.mark.window
TERMS = re.compile(r"\*\*(.+?)\*\*")


def _labels(page: QWidget) -> set[str]:
    """Return the words on buttons, beside controls and above columns."""
    texts = [one.text() for one in page.findChildren(QAbstractButton)]
    texts += [one.text() for one in page.findChildren(RowLabel)]
    for table in page.findChildren(QTableWidget):
        heads = map(table.horizontalHeaderItem, range(table.columnCount()))
        texts += [one.text() for one in heads if one is not None]
    return {words for text in texts if (words := _words(text))}


def _words(text: str) -> str:
    """Return a label without a time, numbers and signs."""
    words = re.findall(r"[^\W\d]+", text.partition("\n")[0].lower())
    return " ".join(words)


def test_the_glossary_has_every_label_of_the_panel(widget: InrDenoiseWidget) -> None:
    pages = [widget.tabs.widget(k) for k in range(widget.tabs.count())]
    labels = {label for page in pages if page is not None for label in _labels(page)}
    text = (ROOT / "docs" / "pages" / "glossary.md").read_text("utf-8")
    terms = {_words(term) for part in TERMS.findall(text) for term in part.split(",")}
    assert {"quality", "split", "folder"} & terms
    assert labels - terms == set()
