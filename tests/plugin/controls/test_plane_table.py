"""The table of planes: what stands out is seen at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_inr_denoise.core.report.report import PlaneReport
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.plugin.controls.plane_table import PlaneTable

pytestmark = pytest.mark.window
USUAL = PlaneReport.from_dict(
    {
        "index": {"Z": 0},
        "sigma": 2.0,
        "correlated": False,
        "isolated_pixels": 0,
        "residual_rms": 2.0,
        "steps": 9,
        "reason": StopReason.TRAINED.value,
        "mean_before": 100.0,
        "mean_after": 100.0,
        "verdict": Verdict.NOISE_ONLY.value,
    }
)


@pytest.mark.usefixtures("viewer")
def test_what_stands_out_is_bold_and_says_why() -> None:
    table = PlaneTable()
    much = replace(USUAL, index={"Z": 1}, residual_rms=3.0)
    table.show_planes([USUAL, much])
    bold = [table.item(row, 0).font().bold() for row in (0, 1)]
    assert bold == [False, True]
    assert table.item(0, 2).toolTip().splitlines() == [
        "Residual 2 after 9 steps",
        StopReason.TRAINED.sentence,
        Verdict.NOISE_ONLY.sentence,
        "Mean 100 \u2192 100 (+0.0 %)",
    ]
    assert "1.50 times the noise" in table.item(1, 2).toolTip()
    assert table.item(1, 2).text() == "1.50"


@pytest.mark.usefixtures("viewer")
def test_a_click_on_a_heading_sorts() -> None:
    table = PlaneTable()
    much = replace(USUAL, index={"Z": 1}, residual_rms=1.0)
    table.show_planes([USUAL, much])
    table.show()
    across = table.horizontalHeader()
    assert not across.isSortIndicatorShown()
    at = QPoint(across.sectionPosition(2) + 5, 5)
    QTest.mouseClick(
        across.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at
    )
    assert across.isSortIndicatorShown()
    assert [table.item(row, 2).text() for row in (0, 1)] == ["0.50", "1.00"]
    table.close()


@pytest.mark.usefixtures("viewer")
@pytest.mark.parametrize("reason", list(StopReason))
def test_every_row_tells_its_end(reason: StopReason) -> None:
    table = PlaneTable()
    table.show_planes([replace(USUAL, reason=reason.value)])
    row = [table.item(0, column).text() for column in range(table.columnCount())]
    odd = "\u26a0 " * table.item(0, 0).font().bold()
    assert row == [f"{odd}Z 0", "-", "1.00", "noise", "2"]
    assert reason.sentence in table.item(0, 0).toolTip().splitlines()
