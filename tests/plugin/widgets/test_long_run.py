"""The notification at the end of a long run."""

from __future__ import annotations

from typing import Any

import pytest
from qtpy.QtWidgets import QApplication, QWidget

from napari_inr_denoise.plugin.widgets import long_run
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from napari_inr_denoise.plugin.widgets.long_run import LongRun
from tests.conftest import wait_until

pytestmark = pytest.mark.window


@pytest.mark.usefixtures("viewer")
@pytest.mark.parametrize(
    ("seconds", "away", "told"),
    [
        (60, True, ["INR Denoise: Finished."]),
        (60, False, []),
        (5, True, []),
    ],
)
def test_a_long_run_is_told_if_napari_is_not_in_front(
    monkeypatch: pytest.MonkeyPatch, seconds: int, away: bool, told: list[str]
) -> None:
    now, found = [0.0], list[str]()
    panel = QWidget()
    monkeypatch.setattr(long_run, "show_info", found.append)
    front: Any = None if away else panel
    monkeypatch.setattr(QApplication, "activeWindow", lambda: front)
    run = LongRun(panel, lambda: now[0])
    run.begin()
    now[0] = seconds / 2
    run.begin()  # the next of several layers
    now[0] = seconds
    run.end("Finished.")
    assert found == told
    run.end("Finished.")
    assert found == told


def test_the_panel_tells_the_end_of_its_run(
    monkeypatch: pytest.MonkeyPatch, widget: InrDenoiseWidget
) -> None:
    found = list[str]()
    monkeypatch.setattr(long_run, "show_info", found.append)
    monkeypatch.setattr(long_run, "_LONG_S", 0)
    monkeypatch.setattr(QApplication, "activeWindow", lambda: None)
    widget.run()
    wait_until(lambda: not widget.running)
    assert found == [f"INR Denoise: {widget.status_label.value}"]
