"""The widget that denoises layers: its form, its runs, and what comes before and after.

The parts know the form, never each other; the widget connects them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar
from weakref import WeakSet

import napari
from magicgui.widgets import Container, Widget
from napari.layers import Image
from psygnal import Signal

from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from napari_inr_denoise.plugin.layers.scope import VISIBLE
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.runs.build_queue import build_queue
from napari_inr_denoise.plugin.runs.lifetime import Lifetime
from napari_inr_denoise.plugin.widgets.after_run import AfterRun
from napari_inr_denoise.plugin.widgets.before_run import BeforeRun
from napari_inr_denoise.plugin.widgets.denoise_form import DenoiseForm
from napari_inr_denoise.plugin.widgets.run_controller import RunController


class InrDenoiseWidget(Container[Widget]):
    """Denoises the selected layers; each result is added as a new layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        With the layers.

    Attributes
    ----------
    finished : Signal
        Emitted at the end of a run with the layer of the result, or None.
    form : DenoiseForm
        All controls. Those that scripts use are attributes of the widget as well:
        layer, scope, region, preset, device, seed, strength and status_label.
    before_run : BeforeRun
        Estimates the noise and what a run takes.
    runs : RunController
        Starts and stops runs.
    after_run : AfterRun
        Shows, compares and saves results.
    """

    finished = Signal(object)
    _made: ClassVar[WeakSet[InrDenoiseWidget]] = WeakSet()

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        form = self.form = DenoiseForm(self)
        self.layer, self.scope, self.region = form.layer, form.scope, form.region
        self.preset, self.device, self.seed = form.preset, form.device, form.seed
        self.strength, self.status_label = form.strength, form.status_label
        self._viewer = napari_viewer
        self._lifetime = Lifetime(self.native)
        form.region.set_viewer(napari_viewer)
        form.device.find_devices(self._lifetime)
        self.before_run = BeforeRun(form, napari_viewer, self._lifetime)
        self.runs = RunController(napari_viewer, self._lifetime)
        self.after_run = AfterRun(form, napari_viewer, self._lifetime)
        self._connect()
        self.after_run.follow_selection()
        self._made.add(self)

    def _connect(self) -> None:
        form, runs = self.form, self.runs
        form.run_button.changed.connect(self.run)
        form.preview_button.changed.connect(self.preview)
        form.stop_button.changed.connect(self.stop)
        runs.started.connect(self._show_start)
        runs.progressed.connect(form.show_progress)
        runs.said.connect(form.say)
        runs.finished.connect(self.after_run.add)
        runs.ended.connect(self._show_end)
        self.after_run.chosen.connect(self._show_ending)

    @classmethod
    def docked_in(cls, viewer: napari.Viewer) -> InrDenoiseWidget | None:
        """Return the widget that is docked in a viewer, visible or not, if any."""
        for made in cls._made:
            elsewhere = _unwrapped(made._viewer) is not _unwrapped(viewer)
            # Qt's objects are deleted with the window: asked for last.
            gone = elsewhere or made._lifetime.over or made.native.parent() is None
            if not gone:
                return made
        return None

    @property
    def settings(self) -> DenoiseSettings:
        """The chosen settings."""
        return self.form.settings

    def load(self, path: Path) -> None:
        """Choose the settings that a file holds; raises as `DenoiseForm.load` does."""
        self.form.load(path)

    @property
    def running(self) -> bool:
        """Whether an image is being denoised."""
        return self.runs.running

    def run(self) -> None:
        """Denoise the chosen layers, each into a new layer; returns at once."""
        self._start(self.before_run.layers, self.scope.value, self.settings)

    def preview(self) -> None:
        """Denoise the visible part of the slice in seconds, into a layer of its own."""
        chosen = self.before_run.layer
        settings = preset_settings(
            "fast",
            seed=self.seed.value,
            device=self.device.value,
            strength=self.strength.value,
        )
        self._start([] if chosen is None else [chosen], VISIBLE, settings)

    def _start(
        self, layers: Sequence[Image], scope: str, settings: DenoiseSettings
    ) -> None:
        if self.running:
            return
        queue = build_queue(self._viewer, layers, scope, self.region.value)
        self.after_run.offer(None)
        self.form.show_share(0.0, "")
        self.runs.start(queue, settings)

    def stop(self) -> None:
        """Stop the run and keep its best result so far; start no other layer."""
        self.runs.stop()

    def wait(self) -> Image | None:
        """Wait for the end of the run while the window stays responsive.

        Returns
        -------
        Image or None
            The layer of the result, of several layers the last one. None if there is
            no result: `status_label.value` says why.
        """
        return self.runs.wait()

    def _show_start(self) -> None:
        self.before_run.hold()
        self.form.clear_progress()
        self.form.allow(running=True)

    def _show_end(self, layer: Image | None) -> None:
        self.form.allow(running=False)
        if self.after_run.offered is None:
            self.after_run.offer(self.after_run.selected)
        self.before_run.resume()
        self.finished.emit(layer)

    def _show_ending(self, finished: Finished) -> None:
        """Say how the run ended whose result the user selects."""
        if not self.running:
            self.form.say(f"{finished.layer.name}: {finished.ending}")


def _unwrapped(viewer: napari.Viewer) -> napari.Viewer:
    """Return the viewer itself: napari gives some plugins a proxy, a new one a time."""
    own: napari.Viewer = getattr(viewer, "__wrapped__", viewer)
    return own
