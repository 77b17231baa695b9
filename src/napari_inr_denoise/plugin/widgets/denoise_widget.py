"""The widget: choose a layer, run, watch the noise level and the stop."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar
from weakref import WeakSet

import napari
from napari.layers import Image
from napari.utils.events import Event
from napari.utils.notifications import show_error
from psygnal import Signal
from qtpy.QtCore import QEventLoop

from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from napari_inr_denoise.plugin.controls import messages as words
from napari_inr_denoise.plugin.controls.file_dialogs import (
    ask_and_load,
    ask_for_name,
    save_settings,
)
from napari_inr_denoise.plugin.controls.rows import show_text
from napari_inr_denoise.plugin.layers.metadata_keys import is_result
from napari_inr_denoise.plugin.layers.scope import SLICE, VISIBLE
from napari_inr_denoise.plugin.layers.source import (
    LayerSource,
    take_source,
    volume_hindrance,
)
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.results.result_layer import ResultLayer
from napari_inr_denoise.plugin.runs.build_queue import queued
from napari_inr_denoise.plugin.runs.estimate_worker import Question
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.runs.queue import RunQueue
from napari_inr_denoise.plugin.runs.worker import DenoiseWorker
from napari_inr_denoise.plugin.widgets.after_run import AfterRun
from napari_inr_denoise.plugin.widgets.before_run import BeforeRun
from napari_inr_denoise.plugin.widgets.denoise_form import DenoiseForm

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep

_NO_RESULT = "Stopped before there was a result."


class InrDenoiseWidget(DenoiseForm):
    """Denoises the selected layer; the result is added as a new layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where the layers are.

    Attributes
    ----------
    finished : Signal
        Emitted at the end of a run: the layer with the result, None if there is none.
    """

    finished = Signal(object)
    _made: ClassVar[WeakSet[InrDenoiseWidget]] = WeakSet()

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._worker: DenoiseWorker | None = None
        self._result_layer: ResultLayer | None = None
        self._ended: Image | None = None
        self._planes, self._at_work = 0, ""
        self._named: tuple[int, ...] = ()
        self._queue = RunQueue()
        self._settings_at_work: DenoiseSettings
        self._watched: Image | None = None
        self._lifetime = Lifetime(self.native)
        self._before = BeforeRun(self._question, self._lifetime)
        self._after = AfterRun(self, napari_viewer, self._lifetime)
        self._connect()
        self._choose()
        self._made.add(self)

    def _connect(self) -> None:
        self.run_button.changed.connect(self.run)
        self.preview_button.changed.connect(self.preview)
        self.stop_button.changed.connect(self.stop)
        self.load_button.changed.connect(self._ask_and_load)
        self.save_button.changed.connect(self._ask_and_save)
        self.device.failed.connect(self.say)
        for choice in (self.layer, self.scope, self.region, self.preset, self.device):
            choice.changed.connect(self._choose)
        self.region.edited.connect(self._choose)
        self._before.noise.connect(self._show_noise)
        self._before.needs.connect(self._show_needs)
        self._after.chosen.connect(self._tell_ending)
        self._viewer.layers.selection.events.active.connect(self._follow_selection)
        self._viewer.layers.selection.events.changed.connect(self._follow_selected)
        self._viewer.layers.events.removed.connect(self._forget)
        self._viewer.dims.events.current_step.connect(self._follow_slice)
        self._viewer.dims.events.order.connect(self._choose)
        self.region.look(self._viewer)
        self.device.look(self._lifetime)

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
    def running(self) -> bool:
        """Whether a fit is at work."""
        return self._worker is not None

    def run(self) -> None:
        """Start on the chosen layers; each result comes as a new layer."""
        if not self.running:
            queue = self._queued(self._to_run(), self.scope.value)
            self._begin(queue, self.settings)

    def preview(self) -> None:
        """Denoise what is visible of the slice in seconds, as a layer of its own."""
        if self.running:
            return
        settings = preset_settings(
            "fast",
            seed=self.seed.value,
            device=self.device.value,
            strength=self.strength.value,
        )
        self._begin(self._queued(self._chosen(), VISIBLE), settings)

    def _chosen(self) -> list[Image]:
        return [] if self.layer.value is None else [self.layer.value]

    def _to_run(self) -> list[Image]:
        """Return the layers that are selected with the chosen one, or that alone."""
        selection = self._viewer.layers.selection
        selected = [
            one for one in self.layer.choices if one in selection and not is_result(one)
        ]
        return selected if self.layer.value in selected else self._chosen()

    def _queued(self, layers: list[Image], scope: str) -> RunQueue:
        return queued(self._viewer, layers, scope, self.region.value)

    def _begin(self, queue: RunQueue, settings: DenoiseSettings) -> None:
        self._queue, self._settings_at_work = queue, settings
        self._ended = None
        self._after.offer(None)
        self.show_share(0.0, "")
        if queue.count:
            self._next()
        else:
            self.say("There is no image layer. Open an image first.")

    def _next(self) -> None:
        """Start on what waits, or say what became of all."""
        if self._lifetime.undocked:
            self._queue.drop()
        source = self._queue.next()
        if source is not None:
            # The strength is set after the fit, and can be set anew.
            self._start(source, replace(self._settings_at_work, strength=0.0))
            return
        self.allow(running=False)
        if self._after.offered is None:
            self._after.offer(self._after.selected)
        if told := self._queue.words():
            self.say(told)
        self._follow_selected()
        self._before.resume()
        self.finished.emit(self._ended)

    def stop(self) -> None:
        """Stop the fit; its best so far becomes the result, and no other is begun."""
        if self._worker is not None:
            self._queue.drop()
            self._worker.stop()

    def wait(self) -> Image | None:
        """Wait for the end of the run, and return its layer; the window stays alive.

        Of several layers it is the last one's. None if there is no result:
        `status_label.value` says why.
        """
        while self._worker is not None and not self._lifetime.over:
            loop = QEventLoop()
            # Of the worker, for it also comes when the window was closed meanwhile.
            self._worker.finished.connect(loop.quit)
            loop.exec()
        return self._ended

    def _ask_and_load(self) -> None:
        told = ask_and_load(self.native, self.load)
        if told:
            self.say(told)

    def _ask_and_save(self) -> None:
        path = ask_for_name(self.native)
        if path is None:
            return
        try:
            self.say(f"The settings are in {save_settings(self.settings, path)}.")
        except OSError as error:
            self.say(f"The settings could not be saved: {error}")

    @while_open
    def _choose(self, *_: object) -> None:
        """Take in what was chosen, and ask what it will take."""
        self._take(self.layer.value)

    def _take(self, layer: Image | None) -> None:
        self._watch(layer)
        dims = self._viewer.dims
        self.allow_volume("" if layer is None else volume_hindrance(layer, dims))
        self._name_run()
        self.allow(self.running)
        show_text(self.noise_label, "-")
        show_text(self.needs_label, "-")
        self._before.ask_all()

    def _name_run(self) -> None:
        """Say on the button how many layers it is for."""
        layers = self._to_run()
        self._named = tuple(map(id, layers))
        many = len(layers) > 1
        self.run_button.text = f"&Run on {len(layers)} layers" if many else "&Run"

    @while_open
    def _follow_selected(self, *_: object) -> None:
        """Ask what it takes to run the layers that are selected now."""
        changed = self._named != tuple(map(id, self._to_run()))
        if changed and not self.running:
            self._name_run()
            show_text(self.needs_label, "-")
            self._before.ask_needs()

    @while_open
    def _forget(self, event: Event) -> None:
        """Drop a layer that is gone; the list of choices is silent about the last."""
        if event.value is self._watched:
            self._take(None)
        # Equal, but not the same: napari gives plugins a proxy of a layer.
        if event.value == self._ended:
            self._ended = None

    def _watch(self, layer: Image | None) -> None:
        """Follow what the user does to the chosen layer."""
        if layer is self._watched:
            return
        for one, change in ((self._watched, "disconnect"), (layer, "connect")):
            if one is not None:
                getattr(one.events.data, change)(self._choose)
                getattr(one.events.axis_labels, change)(self._choose)
        self._watched = layer

    def _question(self, needs: bool) -> Question | None:
        """Return what is to be found out of the choices."""
        layer, dims = self._watched, self._viewer.dims
        if layer is None:
            return None
        region = self.region.value
        shown = take_source(layer, dims, SLICE, region)
        if not needs:
            return Question(shown, (), self.settings)
        chosen = take_source(layer, dims, self.scope.value, region)
        queue = self._queued(self._to_run(), self.scope.value)
        return Question(shown, queue.sources or (chosen,), self.settings)

    @while_open
    def _show_noise(self, text: str) -> None:
        show_text(self.noise_label, text)

    @while_open
    def _show_needs(self, text: str) -> None:
        show_text(self.needs_label, text)

    @while_open
    def _follow_slice(self, _: Event) -> None:
        self._before.ask_noise()

    @while_open
    def _follow_selection(self, _: Event) -> None:
        """Choose the layer that the user selects, unless it is a result."""
        active = self._viewer.layers.selection.active
        if not self.running and active in self.layer.choices and not is_result(active):
            self.layer.value = active

    def _start(self, source: LayerSource, settings: DenoiseSettings) -> None:
        worker = DenoiseWorker(source, settings)
        worker.stepped.connect(self._show_step)
        worker.drawn.connect(self._show_image)
        worker.returned.connect(self._show_result)
        worker.errored.connect(self._show_failure)
        worker.finished.connect(self._show_finished)
        self._worker = worker
        self._result_layer = ResultLayer(self._viewer, source)
        self._planes = 0
        self._at_work = self._queue.placed(words.fitting_words(settings))
        self._before.hold()
        self.clear_progress()
        self.say(self._queue.placed("Estimating the noise..."))
        self.allow(running=True)
        self._result_layer.begin()
        self._lifetime.start(worker)

    @while_open
    def _show_step(self, step: DenoiseStep) -> None:
        self._planes = step.plane_count
        self.show_progress(step, self._queue)
        self.say(self._at_work)

    @while_open
    def _show_image(self, image: NDArray[np.float32]) -> None:
        if self._result_layer is not None:
            self._result_layer.show(image)

    @while_open
    def _show_result(self, result: DenoiseResult | None) -> None:
        if self._result_layer is None or result is None:
            self._queue.fail(_NO_RESULT)
            self.say(_NO_RESULT)
            return
        layer = self._ended = self._result_layer.finish(result)
        ending = words.ending_words(result, self._planes)
        finished = Finished(self._result_layer.source, result, layer, ending)
        self._after.add(finished, self._settings_at_work.strength)
        self._queue.finish(ending)
        self.say(ending)

    @while_open
    def _tell_ending(self, finished: Finished) -> None:
        """Say how the run ended whose result the user turns to."""
        if not self.running:
            self.say(f"{finished.layer.name}: {finished.ending}")

    @while_open
    def _show_failure(self, error: Exception) -> None:
        text = words.error_words(error)
        self._queue.fail(text)
        self.say(text)
        show_error(self._queue.placed(text))

    @while_open
    def _show_finished(self) -> None:
        self._worker = None
        if self._result_layer is not None:
            self._result_layer.close()
        self._result_layer = None  # it holds the image
        self._next()


def _unwrapped(viewer: napari.Viewer) -> napari.Viewer:
    """Return the viewer itself: napari gives some plugins a proxy, a new one a time."""
    own: napari.Viewer = getattr(viewer, "__wrapped__", viewer)
    return own
