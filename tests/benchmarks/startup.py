"""Seconds from the start of Python to the first preview in napari's window.

Opens a window with an image and the panel, and starts a run at once; several times,
each in a process of its own, of which the least counts. Where there is no screen:

    xvfb-run -a python -m tests.benchmarks.startup --runs 5

CPU time is without the threads that draw by software where there is no GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

_STAGES = ("window with an image", "panel", "noise, and step 0", "first preview")
_DRAWING = "llvmpipe"
_POLL_MS = 20
_TIMEOUT_S = 120.0


def main() -> None:
    """Print the table, as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--side", type=int, default=512, help="pixels")
    parser.add_argument("--preset", default="auto")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.once:
        _once(options.side, options.preset)
        return
    command = [sys.executable, "-m", __spec__.name, "--once"]
    command += ["--side", str(options.side), "--preset", options.preset]
    found = []
    for _ in range(options.runs):
        done = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, timeout=_TIMEOUT_S
        )
        found.append(json.loads(done.stdout.splitlines()[-1]))
    least = np.min(found, axis=0)
    print("| to the end of | s | s of CPU | s of CPU, this alone |\n|---|---|---|---|")
    before = 0.0
    for stage, (seconds, used) in zip(_STAGES, least, strict=True):
        print(f"| {stage} | {seconds:.1f} | {used:.1f} | {used - before:.1f} |")
        before = used


def _once(side: int, preset: str) -> None:
    """Measure once, print the seconds as JSON, and end the process."""
    import napari
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    y, x = np.mgrid[:side, :side] / 40
    noisy = np.random.default_rng(0).poisson(120 + 60 * np.sin(x + y) * np.cos(y))
    viewer = napari.Viewer()
    viewer.add_image(noisy.astype(np.uint16), axis_labels=("y", "x"))
    QApplication.processEvents()
    found = [_spent()]
    _, widget = viewer.window.add_plugin_dock_widget(
        "napari-inr-denoise", "INR Denoise"
    )
    QApplication.processEvents()
    found.append(_spent())
    widget.preset.value = preset
    widget.runs.progressed.connect(
        lambda *_: len(found) == 2 and found.append(_spent())
    )
    widget.run()
    first: list[np.ndarray] = []

    def look() -> None:
        if len(viewer.layers) < 2 or len(found) < 3:
            return
        shown = np.asarray(viewer.layers[-1].data)
        if not first:
            first.append(shown.copy())
        elif not np.array_equal(shown, first[0]):
            found.append(_spent())
            print(json.dumps(found), flush=True)
            os._exit(0)  # the run need not come to its end

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(_POLL_MS)
    napari.run()


def _spent() -> tuple[float, float]:
    """Return the seconds and the CPU seconds since the process began; Linux only."""
    ticks = os.sysconf("SC_CLK_TCK")
    about = Path("/proc/self/stat").read_text("utf-8").rpartition(")")[2].split()
    up = float(Path("/proc/uptime").read_text("utf-8").split()[0])
    drawing = 0
    for path in Path("/proc/self/task").glob("*/stat"):
        name, _, rest = path.read_text("utf-8").rpartition(")")
        if _DRAWING in name:
            drawing += sum(int(count) for count in rest.split()[11:13])
    return up - int(about[19]) / ticks, time.process_time() - drawing / ticks


if __name__ == "__main__":
    main()
