"""Texts and lists of choices in a narrow panel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QComboBox

from napari_inr_denoise.plugin.elements.form import (
    Form,
    RowLabel,
    TextLabel,
    button,
    let_shrink,
)
from tests.conftest import process_events

pytestmark = pytest.mark.window


@pytest.mark.usefixtures("viewer")
def test_a_number_and_its_unit_stay_on_one_line() -> None:
    label = TextLabel("0.029 % saturated, about 7 s, step 3 of 4 small parts")
    shown = label.text().replace("\u200b", "")
    assert shown == "0.029\u00a0% saturated, about 7\u00a0s, step 3 of 4 small parts"
    assert "\u00a0" not in label.value


@pytest.mark.usefixtures("viewer")
def test_a_text_is_copied_as_it_was_told() -> None:
    told = "Saved /data/a-b_c/x.tif.\nTry pip install a-package[all], in 3 s."
    label, clipboard = TextLabel(told), QApplication.clipboard()
    label.setSelection(0, len(label.text()))
    assert label.selectedText() != told
    QTest.keyClick(label, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert clipboard.text() == told


def _drawn(text: str, *, placeholder: bool = False) -> NDArray[np.uint8]:
    choice = QComboBox()
    let_shrink(choice)
    if placeholder:
        choice.setPlaceholderText(text)
    else:
        choice.addItem(text)
    choice.setFixedSize(150, 26)
    shot = choice.grab().toImage()
    shot = shot.convertToFormat(shot.Format.Format_RGB32)  # without padding
    pixels = shot.constBits().asstring(shot.bytesPerLine() * shot.height())
    return np.frombuffer(pixels, np.uint8)


@pytest.mark.usefixtures("viewer")
def test_both_ends_of_a_long_entry_are_seen() -> None:
    name = "a name that is much too long for the room, channel "
    first, second = _drawn(f"{name}0"), _drawn(f"{name}1")
    assert not np.array_equal(first, second)
    assert np.array_equal(first, _drawn(f"{name}0"))


@pytest.mark.usefixtures("viewer")
def test_an_empty_list_says_so() -> None:
    shown = _drawn("No image", placeholder=True)
    assert not np.array_equal(shown, _drawn("", placeholder=True))


@pytest.mark.usefixtures("viewer")
def test_labels_stand_above_controls_without_room_beside_them() -> None:
    form, control = Form(), button("a button", "tip")
    form.add("Label", control)
    (label,) = form.findChildren(RowLabel)
    form.show()
    for width, beside in ((400, True), (form.minimumSizeHint().width(), False)):
        form.resize(width, 100)
        process_events(0.05)
        assert (label.geometry().right() < control.geometry().left()) is beside
        assert (label.geometry().bottom() < control.geometry().top()) is not beside
    form.show_row(control, False)
    assert form.minimumSizeHint().width() == 0
    form.close()
