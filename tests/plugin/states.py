"""The main states of the panel, with numbers and times that are always the same."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget

from napari_inr_denoise.plugin.elements.facts import Chip
from napari_inr_denoise.plugin.elements.plot import Curve
from napari_inr_denoise.plugin.layers.source.scope import SLICE, STACK
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from napari_inr_denoise.samples import small_stack
from tests.conftest import process_events, wait_until

_CHIPS = [
    Chip("Noise only", "", "good"),
    Chip("error 3.4"),
    Chip("Stopped", "", "warning"),
]
_NOISE = "sigma 1440, photon + read noise (gain 1, read 2), 0.03 % saturated"
_CURVE = (2.1, 1.6, 1.3, 1.15, 1.1)
_BINS = ((102.0, 9.0), (108.0, 15.0), (120.0, 28.6))
_stack = cache(small_stack)
_WINDOW_WIDTH = 1200
_PATH = Path("/data/experiment")


def fixed(panel: InrDenoiseWidget) -> None:
    """Replace what is measured, which differs by the machine and the run."""
    panel.before_run.hold()  # or an answer may come while the panel is looked at
    panel.inputs.clear_estimates()
    panel.inputs.show_cost("1 plane of 256x256: about 7 seconds and 0.9 GB.")
    if panel.layer.value is None:
        return
    panel.inputs.noise_label.value = _NOISE
    for name in panel.preset.choices:
        panel.preset.annotate(name, "\u226462 min")
    panel.results.chips.show_facts(_CHIPS)


def empty(viewer: Any, panel: InrDenoiseWidget) -> None:
    """No image is open."""
    panel.before_run.resume()
    viewer.layers.clear()
    process_events(0.1)
    fixed(panel)


def before(viewer: Any, panel: InrDenoiseWidget) -> None:
    """A stack before a run."""
    _use(viewer, 3)
    panel.scope.value = STACK
    fixed(panel)


def noise(viewer: Any, panel: InrDenoiseWidget) -> None:
    """A stack before a run, with the noise curve."""
    before(viewer, panel)
    process_events(0.1)
    told = panel.inputs.noise
    told.plot.show_curves((Curve(_BINS, _BINS),), "noise variance")
    told.plot_button.setChecked(True)


def advanced(viewer: Any, panel: InrDenoiseWidget) -> None:
    """All choices before a run, with the noise curve."""
    noise(viewer, panel)
    panel.inputs.axes.edit_button.setChecked(True)
    panel.inputs.advanced.unfolded = True


def running(viewer: Any, panel: InrDenoiseWidget) -> None:
    """A run at work."""
    before(viewer, panel)
    bar = panel.run_bar
    bar.begin("Training on 50 planes, step 240 of about 440")
    bar.show_running(on=True)
    bar.show_time(0.4, "~12 min left")
    for second, value in enumerate(_CURVE):
        bar.plot.add(float(second), value)
    bar.plot.setVisible(True)


def result(viewer: Any, panel: InrDenoiseWidget) -> None:
    """The result of a plane in the split view."""
    _use(viewer, 1)
    panel.scope.value = SLICE
    _run(panel)
    panel.results.show.value = "split"
    fixed(panel)
    panel.run_bar.say("Finished.")


def table(viewer: Any, panel: InrDenoiseWidget) -> None:
    """The result of a stack with its table, one plane of which is to review."""
    _use(viewer, 3)
    panel.scope.value = STACK
    _run(panel)
    fixed(panel)
    panel.run_bar.say("3 planes finished.")
    panel.results.planes.title = "Planes (3): 1 to review"
    panel.results.planes.unfolded = True
    bar = panel.tabs.widget(0).verticalScrollBar()
    process_events(0.3)
    bar.setValue(bar.maximum())


def folder(viewer: Any, panel: InrDenoiseWidget) -> None:
    """The tab for folders after a run with a damaged file."""
    del viewer
    panel.tabs.setCurrentIndex(1)
    tab = panel.folder
    tab.source.line_edit.value, tab.out.line_edit.value = str(_PATH), str(_PATH)
    tab.status_label.value = "3 done, 1 failed, 0 skipped."
    tab._name_failure("damaged.tif: the file could not be read; it is damaged.")
    tab.report_button.setVisible(True)


STATES: dict[str, Callable[[Any, InrDenoiseWidget], None]] = {
    one.__name__: one
    for one in (before, noise, advanced, running, result, table, folder, empty)
}


def back(panel: InrDenoiseWidget) -> None:
    """Fold and hide again what a state has shown."""
    panel.run_bar.show_running(on=False)
    panel.run_bar.say("")
    panel.tabs.setCurrentIndex(0)
    panel.results.show.value = "result"
    panel.inputs.axes.edit_button.setChecked(False)
    panel.inputs.noise.plot_button.setChecked(False)
    panel.inputs.advanced.unfolded = panel.results.planes.unfolded = False
    process_events(0.2)  # the layers of a view leave


def sized(panel: InrDenoiseWidget, width: int, height: int) -> None:
    """Give the panel a size, in napari's window: its style is that of the window."""
    dock = panel.parentWidget()
    while not isinstance(dock, QDockWidget):
        dock = dock.parentWidget()
    window = panel.window()
    beside = window.height() - panel.height()
    window.resize(_WINDOW_WIDTH, height + beside)
    process_events(0.05)
    window.resizeDocks([dock], [width], Qt.Orientation.Horizontal)
    process_events(0.15)


def _use(viewer: Any, planes: int) -> None:
    noisy = viewer.layers[0]
    noisy.data = _stack().noisy[:planes, :32, :32]
    process_events(0.05)


def _run(panel: InrDenoiseWidget) -> None:
    panel.before_run.resume()
    panel.run()
    wait_until(lambda: not panel.running)
