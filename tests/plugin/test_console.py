"""The widget from Python: what docs/pages/scripting.md shows, and how to wait."""

from __future__ import annotations

import re
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from napari.qt.threading import WorkerBase
from qtpy.QtCore import QThreadPool, QTimer

from napari_inr_denoise.plugin import sample_data
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from napari_inr_denoise.samples import small_stack
from tests.conftest import process_events, wait_until
from tests.plugin.conftest import PLUGIN

pytestmark = pytest.mark.window
PAGE = Path(__file__).parents[2] / "docs" / "pages" / "scripting.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)


def test_the_page_runs_in_order(viewer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """All blocks in one console that has `viewer`, as napari's own."""
    few = partial(small_stack, planes=4, side=48)
    monkeypatch.setattr(sample_data, "small_stack", few)
    console: dict[str, Any] = {"viewer": viewer}
    for block in BLOCKS:
        exec(block, console)  # as typed into the console
        process_events()
    widget = console["widget"]
    assert isinstance(widget, InrDenoiseWidget)
    widget.wait()
    assert "noisy stack [denoised]" in viewer.layers
    assert console["denoised"] in viewer.layers
    wait_until(lambda: not WorkerBase._worker_set)


def test_the_end_is_told_with_the_layer(viewer: Any, widget: InrDenoiseWidget) -> None:
    ended: list[Any] = []
    widget.finished.connect(ended.append)
    widget.run()
    made = widget.wait()
    assert made == viewer.layers["noisy stack [denoised]"]
    assert ended == [made]
    assert not widget.running
    assert widget.wait() is made  # at once: nothing is at work


def test_the_run_may_end_before_somebody_waits(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    widget.run()
    pool = QThreadPool.globalInstance()
    assert pool is not None
    until = time.monotonic() + 60
    while pool.activeThreadCount() and time.monotonic() < until:
        time.sleep(0.01)  # and no event is looked at
    assert widget.running
    assert widget.wait() == viewer.layers["noisy stack [denoised]"]


def test_a_run_that_does_not_start_has_no_layer(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    widget.run()
    assert widget.wait() is not None
    viewer.layers.clear()
    widget.run()
    assert widget.wait() is None
    assert "no noisy image" in widget.status_label.value


@pytest.mark.usefixtures("endless")
def test_waiting_ends_with_the_window(viewer: Any) -> None:
    viewer.open_sample(PLUGIN, "stack")
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    wait_until(lambda: len(widget.device.choices) > 1)
    ended: list[Any] = []
    widget.finished.connect(ended.append)
    widget.run()
    QTimer.singleShot(300, viewer.close)
    assert widget.wait() is None
    assert ended == []
    wait_until(lambda: not WorkerBase._worker_set)
