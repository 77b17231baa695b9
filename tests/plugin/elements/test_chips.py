"""Facts in rounded fields."""

from __future__ import annotations

import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLabel, QToolTip

from napari_inr_denoise.plugin.elements.chips import Chips
from napari_inr_denoise.plugin.elements.facts import Chip
from tests.conftest import process_events, wait_until

pytestmark = pytest.mark.window


@pytest.mark.usefixtures("viewer")
def test_a_fact_that_is_pressed_tells_its_details() -> None:
    chips = Chips()
    chips.show_facts([Chip("error 3", "Estimated RMSE.")])
    chips.show()
    process_events(0.05)
    (fact,) = chips.findChildren(QLabel)
    QTest.mousePress(fact, Qt.MouseButton.LeftButton)
    wait_until(QToolTip.isVisible)
    assert QToolTip.text() == "Estimated RMSE."
    QToolTip.hideText()
    chips.close()
