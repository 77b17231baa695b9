"""Endings that come from beside: other widgets, closed windows, removed layers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.qt.threading import WorkerBase
from qtpy.QtCore import QThreadPool

from napari_inr_denoise.core.candidates.siren_training import SirenTraining
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY
from napari_inr_denoise.plugin.layers.source.scope import SLICE, STACK
from napari_inr_denoise.plugin.runs import exclusive
from napari_inr_denoise.plugin.runs.worker import DenoiseWorker
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import at_work, process_events, wait_until
from tests.plugin.conftest import PLUGIN

pytestmark = pytest.mark.window
RESULT = "noisy stack [denoised]"
NO_RESULT = "Stopped before there was a result: no layer was made."
PARTIAL = "noisy stack [denoised, partial]"


def _no_workers() -> None:
    wait_until(lambda: not WorkerBase._worker_set, seconds=20)
    assert QThreadPool.globalInstance().waitForDone(5000)


def _assert_free(widget: InrDenoiseWidget) -> None:
    assert not widget.running
    assert widget.run_bar.start_button.isVisibleTo(widget)
    assert widget.run_bar.preview_button.isVisibleTo(widget)
    assert widget.layer.native.isEnabled()
    assert not widget.run_bar.stop_button.isEnabled()


@pytest.fixture
def second(viewer: Any, widget: InrDenoiseWidget) -> Iterator[InrDenoiseWidget]:
    """Another widget in the same viewer."""
    made = InrDenoiseWidget(viewer)
    viewer.window.add_dock_widget(made, name="second")
    wait_until(lambda: len(made.device.choices) > 1)
    assert made is not widget
    yield made
    made.stop()
    _no_workers()


@pytest.mark.usefixtures("endless")
def test_two_widgets_do_not_disturb_each_other(
    viewer: Any, widget: InrDenoiseWidget, second: InrDenoiseWidget
) -> None:
    widget.run()
    second.run()
    wait_until(lambda: at_work(widget) and at_work(second))
    assert len(viewer.layers) == 3
    second.stop()
    wait_until(lambda: not second.running)
    _assert_free(second)
    assert widget.running
    before = widget.run_bar.phase_label.value
    wait_until(lambda: widget.run_bar.phase_label.value != before)
    widget.stop()
    wait_until(lambda: not widget.running)
    results = list(viewer.layers)[1:]
    names = sorted(one.name.partition("]")[0] for one in results)
    assert names == ["noisy stack [denoised, partial"] * 2
    assert all(REPORT_KEY in one.metadata for one in results)
    # Each panel knows the result that it made.
    owners = {}
    for result in results:
        viewer.layers.selection.active = result
        owners[result] = [one.after_run.offered is not None for one in (widget, second)]
    assert sorted(owners.values()) == [[False, True], [True, False]]
    (own,) = (result for result, (first, _) in owners.items() if first)
    viewer.layers.remove(own)
    assert not widget.results.native.isVisibleTo(widget)
    viewer.layers.selection.active = next(one for one in results if one is not own)
    assert second.results.native.isVisibleTo(second)


@pytest.mark.usefixtures("endless")
def test_a_widget_that_is_closed_leaves_the_other_one_alone(
    viewer: Any, widget: InrDenoiseWidget, second: InrDenoiseWidget
) -> None:
    widget.run()
    second.run()
    wait_until(lambda: at_work(widget) and at_work(second))
    viewer.window.remove_dock_widget(widget.native)
    wait_until(lambda: not widget.running)
    before = second.run_bar.phase_label.value
    wait_until(lambda: second.run_bar.phase_label.value != before)
    second.stop()
    wait_until(lambda: not second.running)
    assert REPORT_KEY in viewer.layers[-1].metadata


def test_stopped_before_the_first_step(viewer: Any, widget: InrDenoiseWidget) -> None:
    wait_until(
        lambda: widget.inputs.cost_label.value != "-" and not WorkerBase._worker_set
    )
    with exclusive.estimating() as alone:  # the run waits for it
        assert alone
        widget.run()
        process_events(0.2)
        assert widget.running
        assert len(viewer.layers) == 2
        widget.run_bar.stop_button.click()
        wait_until(lambda: not widget.running)
    assert widget.status_label.value == NO_RESULT
    assert len(viewer.layers) == 1
    _assert_free(widget)
    widget.run()
    wait_until(lambda: not widget.running)
    assert REPORT_KEY in viewer.layers[RESULT].metadata


@pytest.mark.parametrize("scope", [SLICE, STACK])
def test_stopped_before_the_first_measurement(
    viewer: Any, widget: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    # Step 0 is there, and nothing is trained.
    told = DenoiseWorker._show

    def stopping(worker: DenoiseWorker, step: Any) -> bool:
        worker.stop()
        return told(worker, step)

    monkeypatch.setattr(DenoiseWorker, "_show", stopping)
    before = list(viewer.layers)
    widget.scope.value = scope
    widget.run()
    wait_until(lambda: not widget.running)
    assert widget.status_label.value == NO_RESULT
    assert list(viewer.layers) == before
    assert widget.wait() is None
    assert widget.after_run.offered is None
    monkeypatch.undo()
    _assert_free(widget)


def _lost(*_: object) -> None:
    raise RuntimeError("lost")


@pytest.mark.usefixtures("endless")
def test_an_error_takes_the_half_made_result_away(
    viewer: Any, widget: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "napari_inr_denoise.plugin.widgets.run_controller.show_error", lambda _: None
    )
    other = viewer.add_image(np.zeros((24, 24)), name="other")
    source = viewer.layers.selection.active = viewer.layers["noisy stack"]
    widget.run()
    wait_until(lambda: at_work(widget))
    assert viewer.layers.selection.active is viewer.layers[RESULT]
    monkeypatch.setattr(SirenTraining, "step", _lost)
    wait_until(lambda: not widget.running)
    assert widget.status_label.value == "Failed: lost"
    assert list(viewer.layers) == [source, other]
    assert viewer.layers.selection.active is widget.layer.value is source
    assert not widget.results.native.isVisibleTo(widget)
    _assert_free(widget)


@pytest.mark.usefixtures("endless")
def test_an_error_after_the_result_was_removed(
    viewer: Any, widget: InrDenoiseWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "napari_inr_denoise.plugin.widgets.run_controller.show_error", lambda _: None
    )
    widget.run()
    wait_until(lambda: at_work(widget))
    viewer.layers.remove(RESULT)
    monkeypatch.setattr(SirenTraining, "step", _lost)
    wait_until(lambda: not widget.running)
    assert widget.status_label.value == "Failed: lost"
    assert [layer.name for layer in viewer.layers] == ["noisy stack"]
    _assert_free(widget)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a fit take a second, and then end by itself."""
    real = SirenTraining.step

    def step(self: SirenTraining, *given: object) -> None:
        time.sleep(0.02)
        real(self, *given)

    monkeypatch.setattr(SirenTraining, "step", step)


@pytest.mark.usefixtures("slow")
@pytest.mark.parametrize("names", [{"noisy stack"}, {RESULT}, {"noisy stack", RESULT}])
def test_layers_removed_in_mid_fit_and_a_fit_that_ends_by_itself(
    viewer: Any, widget: InrDenoiseWidget, names: set[str]
) -> None:
    widget.run()
    wait_until(lambda: at_work(widget))
    assert widget.running
    for name in names:
        viewer.layers.remove(name)
    wait_until(lambda: not widget.running)
    assert REPORT_KEY in viewer.layers[RESULT].metadata
    assert widget.results.native.isVisibleTo(widget)
    _assert_free(widget)
    viewer.layers.clear()
    viewer.add_image(np.random.default_rng(0).normal(9, 1, (24, 24)), name="next")
    widget.run()
    wait_until(lambda: not widget.running)
    assert REPORT_KEY in viewer.layers["next [denoised]"].metadata


@pytest.mark.usefixtures("endless")
@pytest.mark.parametrize("way", ["viewer", "dock", "native"])
def test_closed_with_result_and_comparison(
    viewer: Any, widget: InrDenoiseWidget, way: str
) -> None:
    widget.run()
    wait_until(lambda: at_work(widget))
    widget.stop()
    wait_until(lambda: not widget.running)
    widget.results.show.value = "split"
    assert len(viewer.layers) == 3
    if way == "viewer":
        viewer.close()
    elif way == "dock":
        viewer.window.remove_dock_widget(widget.native)
    else:
        widget.native.parent().destroyOnClose()
    process_events(0.2)
    _no_workers()
    if way != "viewer":
        wait_until(lambda: len(viewer.layers) == 2)
        assert [layer.name for layer in viewer.layers] == ["noisy stack", PARTIAL]


@pytest.mark.estimates_measured
def test_the_viewer_closes_beside_an_estimate(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    widget.preset.value = "fast"
    wait_until(lambda: bool(WorkerBase._worker_set))
    viewer.close()
    process_events(0.2)
    _no_workers()


@pytest.mark.usefixtures("endless")
def test_the_viewer_closes_beside_a_folder(viewer: Any, tmp_path: Any) -> None:
    import tifffile

    for folder in ("in", "out"):
        (tmp_path / folder).mkdir()
    noisy = np.random.default_rng(0).poisson(50, (2, 32, 32)).astype(np.uint16)
    path = tmp_path / "in" / "a.tif"
    tifffile.imwrite(path, noisy, imagej=True, metadata={"axes": "ZYX"})
    _, panel = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    folder = panel.folder
    folder.source.value, folder.out.value = tmp_path / "in", tmp_path / "out"
    folder.run()
    wait_until(lambda: "plane 1 of 2" in folder.plane_label.value)
    viewer.close()
    process_events(0.2)
    _no_workers()
    assert not list((tmp_path / "out").glob("*.tif"))
