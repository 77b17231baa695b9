"""Take the README's picture: the real window with the widget after a real run.

Run from the top of the repository, where there is no screen under a virtual one:

    xvfb-run -a -s "-screen 0 1600x1000x24" python docs/scripts/screenshot.py
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import napari
from qtpy.QtWidgets import QApplication

PICTURE = Path("docs/pictures/napari.png")
PLUGIN = "napari-inr-denoise"
SIZE = (1280, 760)


def work_until(condition: Callable[[], bool]) -> None:
    """Let Qt work until a condition holds."""
    while not condition():
        QApplication.processEvents()
        time.sleep(0.01)


def work_for(seconds: float) -> None:
    """Let Qt work for a while."""
    end = time.monotonic() + seconds
    work_until(lambda: time.monotonic() > end)


def main(picture: Path = PICTURE, theme: str = "dark") -> None:
    """Open the sample, run the widget, and save the window."""
    viewer = napari.Viewer(show=True, title="napari")
    viewer.theme = theme
    viewer.window.resize(*SIZE)
    viewer.open_sample(PLUGIN, "cells")
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    work_until(lambda: "PU (" in widget.device.native.currentText())
    work_until(lambda: "GB" in widget.needs_label.value)
    widget.run()
    work_until(lambda: not widget.running)
    viewer.grid.enabled = True
    viewer.grid.stride = 1
    work_for(1.0)
    viewer.reset_view()
    work_for(1.0)
    picture.parent.mkdir(parents=True, exist_ok=True)
    viewer.window.screenshot(str(picture), canvas_only=False, flash=False)
    viewer.close()


if __name__ == "__main__":
    main(*(Path(name) for name in sys.argv[1:2]), *sys.argv[2:3])
