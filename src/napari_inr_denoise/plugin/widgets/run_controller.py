"""Starts, watches and stops the runs of a queue of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import napari
from napari.layers import Image
from napari.utils.events import Event
from napari.utils.notifications import show_error
from psygnal import Signal
from qtpy.QtCore import QEventLoop, QTimer

from napari_inr_denoise.core.preflight.experience import EXPERIENCE
from napari_inr_denoise.plugin.controls import messages
from napari_inr_denoise.plugin.controls.plane_table import plane_at
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.results.result_layer import ResultLayer
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.runs.queue import QueuedRun, RunQueue
from napari_inr_denoise.plugin.runs.worker import DenoiseWorker

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep

_NO_RESULT = "Stopped before there was a result: no layer was made."
_FIRST = "Measuring the noise..."
_TIME_MS = 1000
"""Longest time between two updates of the time left, in milliseconds."""


class RunController:
    """Denoises the images of a queue one by one, each into a layer of its own.

    Parameters
    ----------
    viewer : napari.Viewer
        The result layers are added to it.
    lifetime : Lifetime
        Of the widget; the runs end with it.
    chosen : callable
        Returns the layer that the widget shows. A text on another one has its name.

    Attributes
    ----------
    started : Signal
        Emitted when the run of one image starts, with what it does first.
    progressed : Signal
        Emitted with each step (DenoiseStep), and which of several layers is at work.
    timed : Signal
        Emitted with each step, and every second, with the finished fraction of the
        whole queue and the time left in words, empty if it is not known.
    stopping : Signal
        Emitted when the run is told to stop.
    finishing : Signal
        Emitted when its training has stopped, and the result so far is filtered.
    said : Signal
        Emitted with a sentence for the user.
    finished : Signal
        Emitted with each result (Finished) and the strength to show it at.
    ended : Signal
        Emitted at the end of the queue with the layer of its last result, or None.
    """

    started = Signal(str)
    progressed = Signal(object, str)
    timed = Signal(float, str)
    stopping = Signal()
    finishing = Signal()
    said = Signal(str)
    finished = Signal(object, float)
    ended = Signal(object)

    def __init__(
        self,
        viewer: napari.Viewer,
        lifetime: Lifetime,
        chosen: Callable[[], Image | None],
    ) -> None:
        self._viewer, self._lifetime, self._chosen = viewer, lifetime, chosen
        self._queue = RunQueue()
        self._run: QueuedRun
        self._before: Finished | None = None
        self._worker: DenoiseWorker | None = None
        self._live: ResultLayer | None = None
        self._last: Image | None = None
        self._plane_count = 0
        self._waiting: list[QEventLoop] = []
        self._timer = QTimer()
        self._timer.setInterval(_TIME_MS)
        self._timer.timeout.connect(self._tell_time)
        viewer.layers.events.removed.connect(self._follow_removal)
        viewer.dims.events.current_step.connect(self._follow_slider)

    @property
    def running(self) -> bool:
        """Whether an image is being denoised."""
        return self._worker is not None

    def start(self, queue: RunQueue) -> None:
        """Denoise the images of a queue, or say why that is not possible."""
        self._queue, self._last, self._before = queue, None, None
        if queue.count:
            self._next()
        else:
            self.said.emit("There is no noisy image. Open one first.")

    def stop(self) -> None:
        """Stop the run and keep its best result so far; start none of the others."""
        if self._worker is not None:
            self._queue.drop()
            self._worker.stop()
            if not self._lifetime.over:
                self.stopping.emit()

    def wait(self) -> Image | None:
        """Wait for the end of the queue while the window stays responsive.

        Returns
        -------
        Image or None
            The layer of the last result.
        """
        while self._worker is not None and not self._lifetime.over:
            loop = QEventLoop()
            self._waiting.append(loop)
            loop.exec()
            self._waiting.remove(loop)
        return self._last

    def _next(self) -> None:
        """Start the next image, or report what became of all of them."""
        if self._lifetime.undocked:
            self._queue.drop()
        self._live = None  # it holds the image
        run = self._queue.next()
        if run is not None:
            self._start(run)
            return
        self._before = None
        if summary := self._queue.summary():
            self.said.emit(summary)
        self.ended.emit(self._last)

    def _start(self, run: QueuedRun) -> None:
        # The strength is applied after the fit, and can be changed then.
        worker = DenoiseWorker(run.source, replace(run.settings, strength=0.0))
        worker.stepped.connect(self._show_step)
        worker.drawn.connect(self._show_image)
        worker.finishing.connect(self._show_finishing)
        worker.returned.connect(self._show_result)
        worker.errored.connect(self._show_failure)
        worker.finished.connect(self._finish)
        # Connected before the start: a worker may end before somebody waits for it.
        worker.finished.connect(self._end_waiting)
        self._worker, self._run = worker, run
        self._live = ResultLayer(self._viewer, run.source)
        self._plane_count = 0
        self.started.emit(self._placed(_FIRST))
        self._live.begin()
        self._follow_slider()
        self._timer.start()
        self._lifetime.start(worker)

    def _placed(self, text: str) -> str:
        """Return a text on the image at work; its name says if it is not shown."""
        shown = self._run.source.is_of(self._chosen())
        return self._queue.with_position(text, named=not shown)

    @while_open
    def _show_step(self, step: DenoiseStep) -> None:
        self._plane_count = step.plane_count
        self._queue.follow(step.progress)
        self.progressed.emit(step, self._placed(""))
        self._tell_time()

    def _tell_time(self) -> None:
        if self._worker is None or self._lifetime.over:
            self._timer.stop()
        else:
            self._timer.start()  # the next time after a step without news
            self.timed.emit(self._queue.share, self._queue.time_left)

    @while_open
    def _show_finishing(self) -> None:
        self.finishing.emit()

    @while_open
    def _show_image(self, step: DenoiseStep, image: NDArray[np.float32]) -> None:
        self._show_step(step)
        if self._live is not None:
            self._live.show(image)

    @while_open
    def _show_result(self, result: DenoiseResult | None) -> None:
        if self._live is None or result is None or messages.is_unchanged(result.report):
            self._queue.fail(_NO_RESULT)
            self.said.emit(self._placed(_NO_RESULT))
            return
        source, count = self._live.source, self._plane_count
        result = _with_source(result, source.path or self._run.name)
        partial = messages.is_partial(result.report, count)
        layer = self._last = self._live.finish(result, partial=partial)
        ending = messages.ending_message(result, count)
        finished = Finished(source, result, layer, ending, count, source.is_preview)
        if not partial:
            finished.compare_with(self._before)
            self._compare_time(result)
        self._before = finished
        self.finished.emit(finished, self._run.settings.strength)
        self._queue.finish(ending, partial=partial)
        self.said.emit(self._placed(ending))

    def _compare_time(self, result: DenoiseResult) -> None:
        """Compare what a complete run took with what was told."""
        expected, file = self._run.expected, result.report.files[0]
        told = None if expected is None else expected.told
        if told is not None and file.seconds is not None:
            steps = [plane.steps for plane in file.planes]
            EXPERIENCE.note(told, file.seconds, steps)

    @while_open
    def _show_failure(self, error: Exception) -> None:
        message = messages.error_message(error)
        self._queue.fail(message)
        self.said.emit(self._placed(message))
        show_error(self._placed(message))

    @while_open
    def _finish(self) -> None:
        self._worker = None
        if self._live is not None:
            self._live.close()
        self._next()

    def _end_waiting(self) -> None:
        """Let `wait` go on, also after the window was closed."""
        for loop in self._waiting:
            loop.quit()

    @while_open
    def _follow_slider(self, *_: object) -> None:
        """Let the live layer of a volume show the plane that is in view."""
        layer = None if self._live is None else self._live.layer
        if self._worker is not None and layer is not None:
            axes = self._run.source.axes
            self._worker.look_at(plane_at(self._viewer.dims, layer, axes))

    @while_open
    def _follow_removal(self, event: Event) -> None:
        # Equal, but not the same: napari gives plugins a proxy of a layer.
        if event.value == self._last:
            self._last = None


def _with_source(result: DenoiseResult, name: str) -> DenoiseResult:
    """Return a result whose report names the file or layer that it was made of."""
    (file,) = result.report.files
    report = replace(result.report, files=(replace(file, source=name),))
    return replace(result, report=report)
