"""A program that ends while work is under way."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import napari_ends_its_thread

pytestmark = pytest.mark.window

_SCRIPT = """
import time
import napari
from qtpy.QtWidgets import QApplication

viewer = napari.Viewer(show=True)
viewer.open_sample("napari-inr-denoise", "cells")
_, widget = viewer.window.add_plugin_dock_widget("napari-inr-denoise", "INR Denoise")
until = time.monotonic() + {seconds}
while time.monotonic() < until:
    QApplication.processEvents()
if {run}:
    widget.run()
"""


@pytest.mark.long
@pytest.mark.parametrize(("seconds", "run"), [(0.8, False), (0.1, True)])
def test_a_script_that_closes_no_viewer_ends_well(seconds: float, run: bool) -> None:
    """An estimate, or a run, is still loading torch then."""
    if not napari_ends_its_thread():
        pytest.skip("this napari ends such a script with an abort, also by itself")
    script = _SCRIPT.format(seconds=seconds, run=run)
    ended = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
