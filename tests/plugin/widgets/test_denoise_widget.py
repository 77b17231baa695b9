"""The widget in a real window: its controls and the five endings of a fit."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.qt.threading import WorkerBase
from qtpy.QtCore import QThreadPool, QTimer
from qtpy.QtWidgets import QApplication, QMainWindow

from napari_inr_denoise.core.candidates.siren_training import SirenTraining
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.source.scope import STACK
from napari_inr_denoise.plugin.runs import worker as worker_module
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until
from tests.plugin.conftest import PLUGIN, napari_app

pytestmark = pytest.mark.window


def _fail(error: Exception) -> Callable[..., None]:
    def step(*_: object) -> None:
        raise error

    return step


def test_the_device_is_shown_by_name(viewer: Any, widget: InrDenoiseWidget) -> None:
    text = widget.device.native.currentText()
    assert text.startswith("auto: ")
    assert "PU (" in text
    # Still there after the layers changed, when magicgui asks for the choices again.
    viewer.add_image(np.zeros((4, 4)))
    assert widget.device.native.currentText() == text


def test_ending_finished(viewer: Any, widget: InrDenoiseWidget) -> None:
    source = viewer.layers[0]
    source.translate = (1.0, 2.0, 3.0)
    viewer.dims.set_current_step(0, 5)
    source.colormap = "green"
    widest = source.contrast_limits_range
    source.contrast_limits = (101, 104)
    source.blending = "additive"
    widget.run_bar.start_button.click()
    assert widget.running
    assert not widget.run_bar.start_button.isVisibleTo(widget)
    assert widget.run_bar.stop_button.isEnabled()
    # A bar without an end would draw the window all the time.
    assert widget.run_bar.progress.maximum() > 0
    wait_until(lambda: not widget.running)
    (result,) = viewer.layers[1:]
    assert result.name == "noisy stack [denoised]"
    assert result.data.shape == (1, 96, 96)
    assert result.data.dtype == np.float32
    np.testing.assert_allclose(result.scale, source.scale)
    np.testing.assert_allclose(result.translate, (1 + 5 * 0.3, 2, 3))
    assert result.units == source.units
    assert result.axis_labels == ("z", "y", "x")
    assert result.colormap.name == "green"
    assert result.contrast_limits == [101, 104]
    assert result.contrast_limits_range == widest  # they can be widened again
    assert not np.allclose(result.data[0], source.data[5])
    report = result.metadata["inr_denoise"]
    sigma = report["files"][0]["planes"][0]["sigma"]
    told = widget.inputs.noise_label
    wait_until(lambda: f"sigma {sigma:.3g}" in told.value)
    assert widget.results.native.isVisibleTo(widget)
    assert widget.status_label.value.endswith(".")
    # The source would add up with its result.
    assert result.blending == "additive"
    assert not source.visible
    assert widget.run_bar.start_button.isVisibleTo(widget)
    assert not widget.run_bar.stop_button.isEnabled()


def test_every_plane_of_the_stack(viewer: Any, widget: InrDenoiseWidget) -> None:
    viewer.layers[0].data = viewer.layers[0].data[:5, :24, :24]
    widget.scope.value = STACK
    widget.run()
    wait_until(lambda: not widget.running)
    result = viewer.layers[-1]
    assert result.data.shape == viewer.layers[0].data.shape
    planes = result.metadata["inr_denoise"]["files"][0]["planes"]
    assert [plane["index"]["Z"] for plane in planes] == list(range(5))


def test_every_plane_has_its_row_though_hardly_a_step_is_shown(
    viewer: Any, widget: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "SHOW_EVERY_S", 10**6)
    shown: list[int] = []
    widget.runs.progressed.connect(lambda step, _: shown.append(step.plane_number))
    viewer.layers[0].data = viewer.layers[0].data[:6, :32, :32]
    widget.scope.value = STACK
    widget.run()
    wait_until(lambda: not widget.running)
    assert len(set(shown)) <= 2  # the first step and the last
    table, count = widget.results.table, len(viewer.layers[0].data)
    assert table.rowCount() == count > len(shown)
    names, noise = (
        [table.item(row, column).text() for row in range(count)] for column in (0, 4)
    )
    numbers = [name.removeprefix("\u26a0 ") for name in names]
    assert numbers == [f"Z {number}" for number in range(count)]
    assert all(float(one) > 0 for one in noise)
    # Each plane of the layer is its result, too.
    changed = viewer.layers[-1].data != viewer.layers[0].data
    assert changed.any(axis=(1, 2)).all()


@pytest.mark.usefixtures("endless")
def test_ending_stopped_keeps_the_best_so_far(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    widget.run()
    wait_until(lambda: "step" in widget.run_bar.phase_label.value)
    asked = time.monotonic()
    widget.run_bar.stop_button.click()
    wait_until(lambda: not widget.running)
    assert time.monotonic() - asked < 2
    assert "Stopped" in widget.status_label.value
    assert len(viewer.layers) == 2
    assert widget.run_bar.start_button.isVisibleTo(widget)


def _gaps(seconds: float) -> list[float]:
    """Return the times between two turns of a timer in the window, ascending."""
    gaps, last = list[float](), [time.monotonic()]

    def tick() -> None:
        now = time.monotonic()
        gaps.append(now - last[0])
        last[0] = now

    timer = QTimer()
    timer.timeout.connect(tick)
    timer.start(5)
    process_events(seconds)
    timer.stop()
    return sorted(gaps)


@pytest.mark.drawn
@pytest.mark.usefixtures("endless")
def test_the_window_answers_while_fitting(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    idle = _gaps(0.5)[-1]
    slow = max(idle / 0.025, 1.0)  # other tests may keep the cores busy
    widget.run()
    wait_until(lambda: "step" in widget.run_bar.phase_label.value)
    # Two may be taken by the system.
    assert _gaps(1.0)[-3] < 0.1 * slow
    viewer.dims.set_current_step(0, 3)
    assert widget.running


@pytest.mark.usefixtures("endless")
def test_ending_the_viewer_closes(viewer: Any, widget: InrDenoiseWidget) -> None:
    widget.run()
    wait_until(lambda: "step" in widget.run_bar.phase_label.value)
    viewer.close()
    process_events(0.2)
    wait_until(lambda: not WorkerBase._worker_set, seconds=20)
    assert QThreadPool.globalInstance().waitForDone(5000)


@pytest.mark.usefixtures("endless")
def test_ending_the_dock_closes(viewer: Any, widget: InrDenoiseWidget) -> None:
    widget.run()
    wait_until(lambda: "step" in widget.run_bar.phase_label.value)
    viewer.window.remove_dock_widget(widget.native)
    wait_until(lambda: not WorkerBase._worker_set, seconds=20)
    process_events(0.2)
    assert len(viewer.layers) == 1


def test_messages_need_no_torch() -> None:
    """A torch that cannot be loaded must still be told about."""
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from napari_inr_denoise.plugin.controls import messages\n"
        "print(messages.error_message(ImportError('no torch')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "Failed: no torch\n"


_ERRORS: list[tuple[Exception, str]] = [
    (RuntimeError("CUDA out of memory. Tried to allocate"), "Out of memory"),
    (RuntimeError("the device is lost"), "Failed: the device is lost"),
    (ValueError("something else"), "Failed: something else"),
]


def test_ending_an_error_shows_its_cause_and_frees_the_widget(
    viewer: Any, widget: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(
        "napari_inr_denoise.plugin.widgets.run_controller.show_error", shown.append
    )
    for error, words in _ERRORS:
        shown.clear()
        monkeypatch.setattr(SirenTraining, "step", _fail(error))
        widget.run()
        wait_until(lambda: not widget.running)
        assert words in widget.status_label.value
        assert words in shown[0]
        assert len(viewer.layers) == 1
        assert widget.run_bar.start_button.isVisibleTo(widget)
        assert not widget.run_bar.stop_button.isEnabled()
    monkeypatch.undo()


@pytest.mark.usefixtures("endless")
def test_the_source_layer_may_be_removed_meanwhile(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    widget.run()
    wait_until(lambda: "step" in widget.run_bar.phase_label.value)
    viewer.layers.clear()
    widget.stop()
    wait_until(lambda: not widget.running)
    assert [layer.name for layer in viewer.layers] == [
        "noisy stack [denoised, partial]"
    ]


def test_the_layer_choice_follows_the_viewer(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    added = viewer.add_image(np.zeros((8, 8)), name="second")
    assert added in widget.layer.choices
    viewer.layers.remove(added)
    assert added not in widget.layer.choices
    viewer.layers.clear()
    widget.run()
    assert "no noisy image" in widget.status_label.value
    assert not widget.running


def test_the_selected_layer_is_chosen_but_not_a_result(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    first = viewer.layers[0]
    second = viewer.add_image(np.zeros((8, 8)), name="second")
    assert widget.layer.value is second
    viewer.layers.selection.active = first
    assert widget.layer.value is first
    result = viewer.add_image(np.zeros((8, 8)), metadata={REPORT_KEY: {}})
    assert viewer.layers.selection.active is result
    assert widget.layer.value is first


def test_long_texts_are_not_clipped(widget: InrDenoiseWidget) -> None:
    label = widget.status_label
    for text in ("short.", "a/long_name" * 40, "The residual came down, " * 8):
        widget.run_bar.say(text)
        process_events(0.1)
        assert label.value == text
        assert label.height() >= label.heightForWidth(label.width())
        assert widget.minimumSizeHint().width() <= 300
    high = label.height()
    widget.run_bar.say("short.")
    process_events(0.1)
    assert label.height() < high


def test_the_window_does_not_grow(viewer: Any) -> None:
    viewer.open_sample(PLUGIN, "stack")
    process_events(0.2)
    shown = [one for one in QApplication.topLevelWidgets() if one.isVisible()]
    (window,) = (one for one in shown if isinstance(one, QMainWindow))
    before = window.size()
    _, widget = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    wait_until(lambda: len(widget.device.choices) > 1)
    widget.run()
    wait_until(lambda: not widget.running)
    widget.inputs.advanced.unfolded = True
    process_events(0.2)
    assert window.size() == before
    assert widget.minimumSizeHint().height() < 200


def test_a_layer_that_cannot_be_denoised_is_said(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    viewer.add_image(np.zeros((8, 8), complex).real, name="flat")
    widget.layer.value = viewer.layers["flat"]
    viewer.dims.order = (2, 0, 1)
    widget.run()
    assert "fewer than two of its dimensions" in widget.status_label.value
    for one in (widget.inputs.view_button, widget.inputs.draw_button):
        widget.status_label.value = ""
        one.click()
        assert "fewer than two of its dimensions" in widget.status_label.value
    assert "Region" not in viewer.layers


def test_rgb_and_a_time_lapse(viewer: Any, widget: InrDenoiseWidget) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    widget.layer.value = viewer.add_image(rgb, rgb=True, name="rgb")
    widget.run()
    wait_until(lambda: not widget.running)
    assert viewer.layers[-1].rgb
    assert viewer.layers[-1].name == "rgb [denoised]"
    viewer.open_sample(PLUGIN, "time_lapse")
    widget.layer.value = viewer.layers["noisy time-lapse"]
    widget.run()
    wait_until(lambda: not widget.running)
    assert viewer.layers[-1].axis_labels == ("t", "y", "x")


@pytest.mark.usefixtures("viewer")
def test_the_menus_offer_it() -> None:
    menus = napari_app().menus
    submenus = [
        getattr(i, "submenu", None) for i in menus.get_menu("napari/layers/filter")
    ]
    assert f"{PLUGIN}.filter" in submenus
    in_filter = [item.command.id for item in menus.get_menu(f"{PLUGIN}.filter")]
    assert sorted(in_filter) == sorted(
        f"{PLUGIN}.{name}"
        for name in (
            "open_widget",
            "open_folder",
            "slice_fast",
            "slice_auto",
            "planes_fast",
            "planes_auto",
            "volume",
        )
    )
    in_files = [
        getattr(i, "command", None) for i in menus.get_menu("napari/file/io_utilities")
    ]
    assert any(c and c.id == f"{PLUGIN}.open_tiff" for c in in_files)
