"""How responsive the window is while a fit is at work, and how fast Stop is.

Opens the real window, where there is no screen under a virtual one:

    xvfb-run -a python -m tests.benchmarks.window --side 512 --preset auto
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from itertools import pairwise

import napari
import numpy as np
import torch
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from tests.benchmarks.machine import describe_run

_TICK_MS = 10
_TICKS_BEFORE = 5
HEADER = (
    "| image | adding the layer | frames | longest wait | 99 % below "
    "| waits over 100 ms | Stop |\n|---|---|---|---|---|---|---|"
)


def main() -> None:
    """Print one Markdown row."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--side", type=int, default=512, help="pixels")
    parser.add_argument("--planes", type=int, default=1)
    parser.add_argument("--preset", default="auto")
    parser.add_argument("--seconds", type=float, default=8.0, help="before Stop")
    options = parser.parse_args()
    for line in describe_run("tests.benchmarks.window", torch.device("cpu")):
        print(line)
    print(f"\n{HEADER}", flush=True)
    y, x = np.mgrid[: options.side, : options.side] / 40
    clean = 120 + 60 * np.sin(x + y) * np.cos(y)
    shape = (options.planes, options.side, options.side)
    noisy = np.random.default_rng(0).poisson(np.broadcast_to(clean, shape))
    viewer = napari.Viewer()
    viewer.add_image(noisy.astype(np.uint16), axis_labels=("z", "y", "x"))
    _, widget = viewer.window.add_plugin_dock_widget(
        "napari-inr-denoise", "INR Denoise"
    )
    widget.preset.value = options.preset
    widget.scope.value = widget.scope.choices[min(options.planes - 1, 1)]
    _work_until(lambda: "GB" in widget.inputs.cost_label.value)
    # A frame needs the event loop to come round, and the canvas to be drawn.
    ticks: list[float] = []
    timer = QTimer()

    def tick() -> None:
        viewer.window._qt_viewer.canvas.native.update()
        ticks.append(time.perf_counter())

    timer.timeout.connect(tick)
    timer.start(_TICK_MS)
    _work_until(lambda: len(ticks) > _TICKS_BEFORE)
    pressed = time.perf_counter()
    widget.run()
    _work_until(lambda: ticks[-1] > pressed)
    adding = ticks[-1] - pressed
    del ticks[:-1]  # the layer is drawn after it
    end = time.perf_counter() + options.seconds
    _work_until(lambda: time.perf_counter() > end or not widget.running)
    timer.stop()
    assert widget.running, "The fit ended before Stop: choose a larger --side."
    asked = time.perf_counter()
    widget.stop()
    _work_until(lambda: not widget.running)
    stopped = time.perf_counter() - asked
    waits = np.array([after - before for before, after in pairwise(ticks)]) * 1e3
    cells = (
        f"{options.planes} x {options.side} x {options.side}, {options.preset}",
        f"{adding * 1e3:.0f} ms",
        f"{len(ticks)} in {options.seconds:g} s",
        f"{waits.max():.0f} ms",
        f"{np.percentile(waits, 99):.0f} ms",
        f"{int((waits > 100).sum())}",
        f"{stopped:.2f} s",
    )
    print(f"| {' | '.join(cells)} |")
    viewer.close()


def _work_until(condition: Callable[[], bool]) -> None:
    while not condition():
        QApplication.processEvents()
        time.sleep(0.001)


if __name__ == "__main__":
    main()
