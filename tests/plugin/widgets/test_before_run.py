"""What the widget says before a run: the noise, and what the run will take."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from napari.qt.threading import WorkerBase

from napari_inr_denoise.core.preflight import estimate as preflight_module
from napari_inr_denoise.core.preflight.estimate import Preflight
from napari_inr_denoise.core.preflight.experience import EXPERIENCE
from napari_inr_denoise.core.settings import PRESETS
from napari_inr_denoise.plugin.layers.source.scope import SLICE, STACK, VOLUME
from napari_inr_denoise.plugin.runs import exclusive
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import at_work, process_events, wait_until

pytestmark = pytest.mark.window


def _answered(widget: InrDenoiseWidget) -> bool:
    texts = (widget.inputs.noise_label.value, widget.inputs.cost_label.value)
    return "-" not in texts and not WorkerBase._worker_set


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Hold estimates until the test lets them go; returns the settings asked for."""
    asked: list[str] = []
    gate = threading.Event()
    real = preflight_module.preflight_steps

    def held(image: Any, axes: str, settings: Any, spacing: Any) -> Any:
        asked.append(settings.preset)
        gate.wait(0.4)
        return (yield from real(image, axes, settings, spacing))

    monkeypatch.setattr(preflight_module, "preflight_steps", held)
    yield asked
    gate.set()


def test_noise_and_needs_are_said_in_words(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    wait_until(lambda: _answered(widget))
    assert widget.inputs.noise_label.value.startswith("sigma ")
    assert widget.inputs.cost_label.value.startswith("1 plane of 96x96: ")
    assert "GB on CPU (" in widget.inputs.cost_label.value
    widget.scope.value = STACK
    assert widget.inputs.cost_label.value == "-"
    wait_until(lambda: _answered(widget))
    assert widget.inputs.cost_label.value.startswith("16 planes of 96x96")
    # Another slice has its own noise, but what the run takes is not asked again.
    before = widget.inputs.noise_label.value
    viewer.dims.set_current_step(0, 1)
    wait_until(lambda: widget.inputs.noise_label.value != before)
    assert widget.inputs.cost_label.value.startswith("16 planes of 96x96")


def test_hot_pixels_are_counted(viewer: Any, widget: InrDenoiseWidget) -> None:
    rng = np.random.default_rng(0)
    plane = rng.normal(100, 5, (64, 64))
    plane[20, 20] = plane[40, 41] = 5000
    viewer.add_image(plane, name="hot")
    wait_until(lambda: "2 hot or dead pixels" in widget.inputs.noise_label.value)


def test_a_stale_answer_is_dropped(
    viewer: Any, widget: InrDenoiseWidget, slow: list[str]
) -> None:
    wait_until(lambda: len(slow) == 1)
    viewer.add_image(np.random.default_rng(0).normal(9, 1, (40, 50)), name="other")
    heard: list[Any] = []
    widget.before_run.estimator.needs.connect(heard.append)
    wait_until(lambda: len(heard) == len(widget.preset.choices))
    process_events(0.5)
    assert heard[0].name == widget.preset.value
    assert sorted(one.name for one in heard) == sorted(widget.preset.choices)
    for one in heard:
        assert one.sources[0].words().startswith("1 plane of 40x50")


def test_many_changes_are_one_question(
    viewer: Any, widget: InrDenoiseWidget, slow: list[str]
) -> None:
    wait_until(lambda: len(slow) == 1)
    for end in (40, 50, 60, 70):
        viewer.layers[0].data = viewer.layers[0].data[:, :end]
        process_events(0.05)
    wait_until(lambda: _answered(widget))
    process_events(1.0)
    assert len(slow) == 1 + len(widget.preset.choices)


def test_each_quality_says_its_time_and_is_asked_once(
    widget: InrDenoiseWidget, slow: list[str]
) -> None:
    wait_until(lambda: len(slow) > 1 and _answered(widget))
    for name in widget.preset.choices:
        assert widget.preset.button(name).text().startswith(name.capitalize())
        assert widget.preset.button(name).text().endswith("s")
    asked = len(slow)
    for name in ("fast", "paper", "auto"):
        widget.preset.value = name
        process_events(0.5)
        assert widget.inputs.cost_label.value.startswith("1 plane of 96x96")
    assert len(slow) == asked


def test_what_a_run_took_corrects_what_is_told_next(
    viewer: Any, widget: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The estimate is as if it had been measured on a machine that is faster by far."""
    real, faster = preflight_module.preflight_steps, list[Preflight]()

    def measured(*asked: Any) -> Any:
        plan = yield from real(*asked)
        hasty = 0.01 * plan.seconds
        hasty = replace(plan, seconds=hasty, range_s=(hasty, hasty), at_most=False)
        faster.append(hasty)
        return hasty

    monkeypatch.setattr(preflight_module, "preflight_steps", measured)
    viewer.layers[0].data = viewer.layers[0].data[:4, :48, :48]
    widget.scope.value = STACK
    wait_until(lambda: any(one.planes == 4 for one in faster) and _answered(widget))
    assert widget.inputs.cost_label.value.startswith("4 planes")
    widget.run()
    wait_until(lambda: not widget.running, seconds=120)
    wait_until(lambda: _answered(widget))
    planes = [one for one in faster if one.planes == 4]
    corrected = [EXPERIENCE.corrected(one) for one in planes]
    for before, after in zip(planes, corrected, strict=True):
        assert after.seconds == pytest.approx(2 * before.seconds)  # the most for a run
    preset = widget.before_run._needs[widget.preset.value]
    (told,) = preset.sources
    assert widget.inputs.cost_label.value == EXPERIENCE.corrected(told).words()


@pytest.mark.drawn
@pytest.mark.estimates_measured
@pytest.mark.usefixtures("widget")
def test_the_window_answers_meanwhile(slow: list[str]) -> None:
    wait_until(lambda: len(slow) == 1)
    longest, before = 0.0, time.monotonic()
    for _ in range(40):
        process_events(0.01)
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    assert longest < 0.3


@pytest.mark.usefixtures("endless")
def test_nothing_is_estimated_beside_a_run(
    viewer: Any, widget: InrDenoiseWidget, slow: list[str]
) -> None:
    widget.run()
    wait_until(lambda: "step" in widget.run_bar.phase_label.value)
    asked = len(slow)
    viewer.dims.set_current_step(0, 2)
    viewer.layers[0].data = viewer.layers[0].data[:, :40]
    process_events(0.6)
    assert len(slow) == asked
    with exclusive.estimating() as alone:
        assert not alone
    widget.stop()
    wait_until(lambda: not widget.running)
    wait_until(lambda: len(slow) > asked)  # what was left open


def test_a_run_waits_for_an_estimate() -> None:
    begun = threading.Event()

    def run() -> None:
        with exclusive.running(threading.Event()):
            begun.set()

    thread = threading.Thread(target=run)
    with exclusive.estimating() as alone:
        assert alone
        thread.start()
        assert not begun.wait(0.2)
    assert begun.wait(1.0)
    thread.join()


@pytest.mark.usefixtures("endless")
def test_an_estimate_gives_way_to_a_run(
    viewer: Any, widget: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()

    def never(*_: object) -> Iterator[None]:
        begun.set()
        while True:
            time.sleep(0.01)
            yield

    monkeypatch.setattr(preflight_module, "preflight_steps", never)
    viewer.layers[0].data = viewer.layers[0].data[:, :40]
    wait_until(begun.is_set)
    widget.run()
    wait_until(lambda: at_work(widget), seconds=20)
    widget.stop()
    wait_until(lambda: not widget.running)


@pytest.mark.estimates_measured
def test_it_ends_with_the_dock(
    viewer: Any, widget: InrDenoiseWidget, slow: list[str]
) -> None:
    wait_until(lambda: len(slow) == 1)
    viewer.window.remove_dock_widget(widget.native)
    wait_until(lambda: not WorkerBase._worker_set, seconds=20)
    viewer.dims.set_current_step(0, 1)
    process_events(0.6)
    assert not WorkerBase._worker_set


def test_what_cannot_be_denoised_is_said(viewer: Any, widget: InrDenoiseWidget) -> None:
    viewer.add_image(np.full((8, 8), 1e300), name="large")
    wait_until(lambda: "float32" in widget.status_label.value)
    viewer.layers.clear()
    process_events(0.5)
    assert widget.inputs.cost_label.value == "-"
    assert "Open Sample" in widget.status_label.value
    assert not widget.run_bar.start_button.isEnabled()


def test_a_layer_without_a_plane_in_view_is_refused(
    viewer: Any, bare_widget: InrDenoiseWidget
) -> None:
    viewer.add_image(np.ones((10, 24, 24)), name="long")
    rng = np.random.default_rng(0)
    viewer.add_image(rng.poisson(40, (3, 24, 24)), name="short")
    bare_widget.scope.value = SLICE
    viewer.dims.set_current_step(0, 8)
    wait_until(lambda: "got Z 8 in view" in bare_widget.status_label.value)
    bare_widget.run()
    assert not bare_widget.running
    assert "'short'" in bare_widget.status_label.value
    viewer.dims.set_current_step(0, 2)
    wait_until(lambda: not bare_widget.status_label.value)
    viewer.dims.set_current_step(0, 8)
    wait_until(lambda: "got Z 8 in view" in bare_widget.status_label.value)
    bare_widget.scope.value = STACK
    wait_until(lambda: not bare_widget.status_label.value)


def test_method_context_and_output_are_those_of_the_run(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    source, inputs = viewer.layers[0], widget.inputs
    source.data = source.data[:3, :32, :32]
    assert not inputs.context.native.isVisibleTo(inputs.advanced_form)
    widget.scope.value = STACK
    inputs.advanced.unfolded = True
    assert inputs.context.native.isVisibleTo(inputs.advanced_form)
    inputs.method.value, inputs.context.value = "neighbourhood", 2
    assert widget.settings.candidates == "neighbourhood"
    assert widget.settings.context == 2
    inputs.method.value, inputs.output_type.value = "", True
    widget.run()
    result = widget.wait()
    assert result is not None
    assert result.data.dtype == source.data.dtype
    assert "candidates" in result.metadata["inr_denoise"]["settings"]
    assert inputs.method.native.isVisibleTo(inputs.advanced_form)
    inputs.method.value, widget.preset.value = "neighbourhood", "paper"
    assert not inputs.method.native.isVisibleTo(inputs.advanced_form)
    assert widget.settings.candidates == PRESETS["paper"].candidates
    widget.preset.value = "fast"
    widget.scope.value = VOLUME
    assert inputs.method.native.isVisibleTo(inputs.advanced_form)
    assert widget.settings.candidates == "neighbourhood"
