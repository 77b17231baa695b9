"""Several layers, one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.qt.threading import WorkerBase

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.layers.metadata_keys import REPORT_KEY, SHOWS_KEY
from napari_inr_denoise.plugin.layers.source.layer_source import (
    LayerSource,
    take_source,
)
from napari_inr_denoise.plugin.layers.source.scope import STACK
from napari_inr_denoise.plugin.runs.queue import QueuedRun, RunQueue
from napari_inr_denoise.plugin.runs.time_left import Expected
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from tests.conftest import process_events, wait_until


def _source(shape: tuple[int, ...] = (6, 7)) -> LayerSource:
    viewer = ViewerModel()
    layer = viewer.add_image(np.zeros(shape))
    return take_source(layer, viewer.dims, STACK)


def _run(name: str, source: LayerSource) -> QueuedRun:
    return QueuedRun(name, source, DenoiseSettings())


def test_of_one_only_its_refusal_is_said() -> None:
    queue = RunQueue()
    queue.add(_run("a", _source()))
    assert queue.next() is not None
    assert queue.with_position("Fitting...") == "Fitting..."
    assert queue.with_position("Fitting...", named=True) == "a: Fitting..."
    queue.finish("The end.")
    assert queue.next() is None
    assert queue.summary() == ""
    queue = RunQueue()
    queue.refuse("a", "It is too small.")
    assert queue.summary() == "It is too small."


def test_what_became_of_several() -> None:
    queue = RunQueue()
    queue.refuse("a", "It is too small.")
    for name in "bcd":
        queue.add(_run(name, _source()))
    queue.next()
    assert queue.with_position("Fitting...") == "b (2 of 4): Fitting..."
    queue.fail("Out of memory.")
    queue.next()
    assert queue.with_position("Fitting...").startswith("c (3 of 4): ")
    queue.drop()
    queue.drop()
    queue.finish("Stopped by the user.", partial=True)
    assert queue.next() is None
    assert queue.summary().split("\n") == [
        "0 of 4 layers denoised.",
        "a: It is too small.",
        "b: Out of memory.",
        "c: Stopped by the user.",
        "Not started: d.",
    ]


def test_the_whole_and_its_time_are_counted_by_pixels() -> None:
    now = [0.0]
    queue = RunQueue(lambda: now[0])
    for planes in (1, 3):
        queue.add(_run("a", _source((planes, 6, 7))))
    queue.next()
    assert queue.time_left == ""
    now[0] = 10.0
    queue.follow(0.4)
    assert queue.share == pytest.approx(0.1)
    assert queue.time_left == "~2 min left in all"
    queue.finish("The end.")
    queue.next()
    assert queue.time_left == ""
    now[0] = 15.0
    queue.follow(0.5)
    assert queue.share == pytest.approx(0.75)
    assert queue.time_left == "~5 s left in all"
    queue.next()
    assert queue.share == 1.0
    assert queue.time_left == ""


def test_what_is_expected_counts_before_it_is_measured() -> None:
    now = [0.0]
    queue = RunQueue(lambda: now[0])
    for seconds in (20.0, 60.0):
        expected = Expected(seconds, finishing=5.0)
        queue.add(QueuedRun("a", _source(), DenoiseSettings(), expected))
    queue.next()
    assert queue.time_left == "~80 s left in all"
    now[0] = 8.0
    assert queue.time_left == "~72 s left in all"
    assert queue.share == pytest.approx(0.1)


@pytest.fixture
def widget(bare_widget: InrDenoiseWidget) -> InrDenoiseWidget:
    return bare_widget


@pytest.fixture
def three(viewer: Any, widget: InrDenoiseWidget) -> list[Any]:
    """Three small layers that are selected, and a result that is too."""
    noisy = np.random.default_rng(0).normal(100, 9, (40, 40))
    layers = [viewer.add_image(noisy + k, name=name) for k, name in enumerate("abc")]
    result = viewer.add_image(noisy, name="result", metadata={REPORT_KEY: {}})
    shows = viewer.add_image(noisy, name="removed", metadata={SHOWS_KEY: "residual"})
    widget.layer.value = layers[0]
    viewer.layers.selection = {*layers, result, shows}
    process_events()
    return layers


@pytest.mark.window
@pytest.mark.usefixtures("endless")
def test_a_run_of_another_image_than_the_shown_one_has_its_name(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    noisy = np.random.default_rng(0).normal(100, 9, (40, 40))
    layer = viewer.add_image(noisy, name="a")
    told = widget.run_bar.phase_label
    widget.run()
    wait_until(lambda: told.value.startswith("Training, step"))
    other = viewer.add_image(noisy, name="b")
    wait_until(lambda: told.value.startswith("a: Training, step"))
    viewer.layers.selection.active = layer
    wait_until(lambda: told.value.startswith("Training, step"))
    viewer.layers.selection.active = other
    widget.stop()
    wait_until(lambda: not widget.running)
    assert widget.status_label.value.startswith("a: Stopped")


@pytest.mark.window
def test_the_button_says_how_many(
    viewer: Any, widget: InrDenoiseWidget, three: list[Any]
) -> None:
    assert widget.run_bar.start_button.text() == "Denoise 3 layers"
    viewer.layers.selection.remove(three[2])
    assert widget.run_bar.start_button.text() == "Denoise 2 layers"
    widget.layer.value = three[2]  # none of the selected ones
    assert widget.run_bar.start_button.text() == "Denoise"
    viewer.layers.selection.active = three[0]
    assert widget.run_bar.start_button.text() == "Denoise"


@pytest.mark.window
def test_each_has_its_result_and_a_failure_stops_none(
    viewer: Any,
    widget: InrDenoiseWidget,
    three: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(
        "napari_inr_denoise.plugin.widgets.run_controller.show_error", shown.append
    )
    three[0].data = np.full((40, 40), 1e300)
    said: list[str] = []
    widget.runs.started.connect(said.append)
    widget.run()
    viewer.layers.remove(three[2])  # taken when the run started
    wait_until(lambda: not widget.running)
    assert shown[0].startswith("a (1 of 3): Failed: ")
    assert any(text.startswith("b (2 of 3): ") for text in said)
    for name, level in (("b", 101), ("c", 102)):
        layer = viewer.layers[f"{name} [denoised]"]
        assert abs(layer.data.mean() - level) < 1
        assert layer.metadata[REPORT_KEY]["files"][0]["planes"]
    words = widget.status_label.value
    assert words.startswith("2 of 3 layers denoised.\na: Failed: ")
    assert widget.run_bar.start_button.isVisibleTo(widget)
    assert "a [denoised]" not in viewer.layers


@pytest.mark.window
def test_what_is_expected_is_told_of_all(
    viewer: Any, widget: InrDenoiseWidget, three: list[Any]
) -> None:
    wait_until(lambda: widget.inputs.cost_label.value.startswith("3 layers: "))
    assert " in all, " in widget.inputs.cost_label.value
    viewer.layers.selection.remove(three[1])
    assert widget.inputs.cost_label.value == "-"
    wait_until(lambda: widget.inputs.cost_label.value.startswith("2 layers: "))
    viewer.layers.selection.active = three[0]
    wait_until(lambda: widget.inputs.cost_label.value.startswith("1 plane of 40x40"))


@pytest.mark.window
@pytest.mark.usefixtures("three")
def test_the_bar_and_the_messages_are_those_of_the_whole(
    widget: InrDenoiseWidget,
) -> None:
    wait_until(lambda: widget.inputs.cost_label.value != "-")
    expected = widget.inputs.cost_label.value
    seen: list[tuple[float, str, str]] = []
    said: list[str] = []
    bar, needs_label = widget.run_bar, widget.inputs.cost_label

    def note(_: object, position: str) -> None:
        assert bar.phase_label.value.startswith(position)
        said.append(position)

    def note_time(share: float, left: str) -> None:
        assert bar.left_label.value == left
        seen.append((share, left, needs_label.value))

    widget.runs.progressed.connect(note)
    widget.runs.timed.connect(note_time)
    widget.run()
    assert bar.progress.value() == 0  # nothing can be told yet
    wait_until(lambda: not widget.running)
    shares, left, needs = (list(one) for one in zip(*seen, strict=True))
    assert shares == sorted(shares)
    # On a fast machine less than a second is left, which is not told.
    assert all(one.endswith(" left in all") for one in left if one)
    for number, name in enumerate("abc", start=1):
        assert f"{name} ({number} of 3): " in said
    assert set(needs) == {expected}


@pytest.mark.window
@pytest.mark.usefixtures("endless")
def test_stop_keeps_the_best_so_far_and_drops_the_rest(
    viewer: Any, widget: InrDenoiseWidget, three: list[Any]
) -> None:
    widget.run()
    wait_until(lambda: "step" in widget.run_bar.phase_label.value)
    widget.run_bar.stop_button.click()
    wait_until(lambda: not widget.running)
    process_events(0.3)
    assert not widget.running
    assert viewer.layers["a [denoised, partial]"].metadata[REPORT_KEY]
    assert "b [denoised]" not in viewer.layers
    assert not widget.run_bar.stop_button.isVisibleTo(widget)
    words = widget.status_label.value
    assert "0 of 3 layers" in words
    assert "a: Stopped" in words
    assert words.endswith("Not started: b, c.")
    assert len(three) == 3


@pytest.mark.window
@pytest.mark.usefixtures("endless", "three")
def test_nothing_more_is_begun_when_the_dock_closes(
    viewer: Any, widget: InrDenoiseWidget
) -> None:
    widget.run()
    wait_until(lambda: "step" in widget.run_bar.phase_label.value)
    viewer.window.remove_dock_widget(widget.native)
    wait_until(lambda: not WorkerBase._worker_set, seconds=20)
    process_events(0.5)
    assert not WorkerBase._worker_set
    assert not widget.running
