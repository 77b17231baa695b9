"""Buttons side by side."""

from __future__ import annotations

from typing import Any

import pytest

from napari_inr_denoise.plugin.elements.segments import Segments
from tests.conftest import process_events

QUALITIES = ("Fast", "Auto", "Best", "Paper")


@pytest.mark.window
@pytest.mark.usefixtures("viewer")
@pytest.mark.parametrize(("width", "columns"), [(400, 4), (170, 2)])
def test_no_text_is_cut_off(width: int, columns: int) -> None:
    made: Any = Segments([(name, name, "") for name in QUALITIES])
    for name in QUALITIES:
        made.annotate(name, "\u226462 min")
    made.resize(width, 100)
    made.show()
    process_events(0.05)
    buttons = [made.button(name) for name in QUALITIES]
    assert len({one.x() for one in buttons}) == columns
    for one in buttons:
        texts = one.text().split("\n")
        needed = max(map(one.fontMetrics().horizontalAdvance, texts))
        assert needed < one.width()
        assert one.geometry().right() < width
    made.close()
