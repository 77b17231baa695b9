"""Quick presets, and the widget docked in a real window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from napari.qt.threading import WorkerBase
from qtpy.QtCore import Qt

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.core import settings as settings_module
from napari_inr_denoise.core.preflight import estimate as preflight_module
from napari_inr_denoise.core.preflight.estimate import Preflight
from napari_inr_denoise.core.preflight.experience import EXPERIENCE
from napari_inr_denoise.core.preflight.timing import Measuring
from napari_inr_denoise.plugin import sample_data
from napari_inr_denoise.plugin.layers.source.scope import STACK
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.widgets.denoise_widget import InrDenoiseWidget
from napari_inr_denoise.samples import Sample, small_stack
from tests.conftest import TINY, emptied, process_events, wait_until

try:
    from napari._app_model import get_app_model
except ImportError:  # its name in napari 0.5.3 and 0.5.4
    from napari._app_model import get_app as get_app_model

PLUGIN = "napari-inr-denoise"


def napari_app() -> Any:
    """What holds napari's menus and commands."""
    return get_app_model()


@pytest.fixture(autouse=True)
def _tiny_presets(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    tiny: DenoiseSettings,
) -> None:
    """Make every preset quick where there is a window: that is what is tested."""
    if request.node.get_closest_marker("window"):
        _preset(monkeypatch, tiny)


def _preset(monkeypatch: pytest.MonkeyPatch, settings: DenoiseSettings) -> None:
    """Make these settings those of every preset."""
    for name in settings_module.PRESETS:
        monkeypatch.setitem(settings_module.PRESETS, name, settings)


_estimates: dict[tuple[object, ...], Preflight] = {}


def _remembering(measured: Callable[..., Measuring[Preflight]]) -> Any:
    """Return `preflight_steps`, measuring an image under the same settings once."""

    def steps(
        image: Any, axes: str, settings: DenoiseSettings, *others: Any
    ) -> Measuring[Preflight]:
        if not isinstance(image, np.ndarray):
            return (yield from measured(image, axes, settings, *others))
        key = (image.tobytes(), image.dtype, image.shape, axes, settings, *others)
        yield
        if key not in _estimates:
            _estimates[key] = yield from measured(image, axes, settings, *others)
        return _estimates[key]

    return steps


_stack = cache(small_stack)


def _copied_stack() -> Sample:
    return replace(_stack(), noisy=_stack().noisy.copy())


@pytest.fixture(autouse=True)
def _no_experience() -> None:
    """Forget the runs of other tests, which would correct what is told."""
    EXPERIENCE.forget()


@pytest.fixture(autouse=True)
def _known_estimates_and_samples(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Measure and draw nothing anew that another window had: the plugin is tested.

    An estimate takes seconds, most tests do not look at it, and all wait for its end.
    """
    if not request.node.get_closest_marker("window"):
        return
    monkeypatch.setattr(sample_data, "small_stack", _copied_stack)
    if not request.node.get_closest_marker("estimates_measured"):
        real = preflight_module.preflight_steps
        monkeypatch.setattr(preflight_module, "preflight_steps", _remembering(real))


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch, tiny: DenoiseSettings) -> None:
    """Make fits go on until they are stopped."""
    _preset(monkeypatch, replace(tiny, max_steps=10**6, learning_rate=1e-8))


@contextmanager
def _docked(viewer: Any, sample: bool = True) -> Iterator[InrDenoiseWidget]:
    if sample:
        viewer.open_sample(PLUGIN, "stack")
    _, made = viewer.window.add_plugin_dock_widget(PLUGIN, "INR Denoise")
    wait_until(lambda: len(made.device.choices) > 1)
    yield made
    made.stop()
    end_with_dock(viewer, made)
    wait_until(lambda: not WorkerBase._worker_set)


@pytest.fixture
def widget(viewer: Any) -> Iterator[InrDenoiseWidget]:
    """The widget, docked by its plugin in a viewer with a sample."""
    with _docked(viewer) as made:
        yield made


@pytest.fixture
def bare_widget(viewer: Any) -> Iterator[InrDenoiseWidget]:
    """The same in a viewer without layers, for tests that bring their own.

    To open the sample, and to measure it, takes as long as many a test.
    """
    with _docked(viewer, sample=False) as made:
        yield made


class Run:
    """The window after a run over a short stack, and the way back to it.

    Attributes
    ----------
    viewer : Viewer
        With the noisy layer and that of the result.
    widget : InrDenoiseWidget
        Docked in the viewer.
    """

    def __init__(self, viewer: Any, widget: InrDenoiseWidget) -> None:
        self.viewer, self.widget = viewer, widget
        viewer.layers[0].data = viewer.layers[0].data[:3, :32, :24]
        widget.scope.value = STACK
        assert "split" not in widget.results.show.choices
        assert not widget.results.native.isVisibleTo(widget)
        widget.run()
        wait_until(lambda: not widget.running)
        self._layers = list(viewer.layers)
        self._fitted = [one.data for one in self._layers]
        self._limits = [list(one.contrast_limits) for one in self._layers]
        self._dims = viewer.dims.order, viewer.dims.point
        self._active = viewer.layers.selection.active
        self._result = self._finished.result

    @property
    def _finished(self) -> Finished:
        finished = self.widget.after_run.offered
        assert finished is not None
        return finished

    def restore(self) -> None:
        """Undo what a test did to layers, views, the table and the strength."""
        viewer, results = self.viewer, self.widget.results
        viewer.layers.selection.active = self._active
        results.show.value = "result"
        self.widget.strength.value = 0.0
        results.raw.setChecked(False)
        results.planes.unfolded = False
        results.table.sortItems(0, Qt.SortOrder.AscendingOrder)
        wait_until(lambda: self.widget.after_run.show.layer is None)
        process_events(0.2)
        for one in set(viewer.layers) - set(self._layers):
            viewer.layers.remove(one)
        kept = zip(self._layers, self._fitted, self._limits, strict=True)
        for layer, data, limits in kept:
            if layer.data is not data:
                layer.data = data
            layer.contrast_limits, layer.visible = limits, True
        if self._finished.result is not self._result:
            self._finished.result = self._result
            self.widget.after_run.offer(self._finished)
        viewer.dims.ndisplay = 2
        viewer.dims.order, viewer.dims.point = self._dims
        viewer.reset_view()
        viewer.layers.selection.active = self._active
        assert list(viewer.layers) == self._layers


@pytest.fixture(scope="module")
def window_of_all(_opened: list[Any]) -> Iterator[tuple[Any, InrDenoiseWidget]]:
    """Viewer and widget for all tests of a file, which undo what they do to them."""
    with pytest.MonkeyPatch.context() as patch:
        _preset(patch, TINY)
        patch.setattr(sample_data, "small_stack", _copied_stack)
        with emptied(_opened) as viewer, _docked(viewer) as widget:
            yield viewer, widget


@pytest.fixture(scope="module")
def _run_of_all(window_of_all: tuple[Any, InrDenoiseWidget]) -> Run:
    return Run(*window_of_all)


@pytest.fixture
def one_run(_run_of_all: Run) -> Run:
    """The window after a run, which is the same for all tests of a file."""
    _run_of_all.restore()
    return _run_of_all


def end_with_dock(viewer: Any, widget: InrDenoiseWidget) -> None:
    """Close the widget's dock, if a test left it open: estimates end at once."""
    # The test may have closed the dock or the window.
    with suppress(LookupError, RuntimeError, AttributeError):
        viewer.window.remove_dock_widget(widget.native)
