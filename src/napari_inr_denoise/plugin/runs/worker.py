"""Workers: threads that can be stopped, and the one that denoises."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from napari.qt.threading import WorkerBase, WorkerBaseSignals
from qtpy.QtCore import Signal  # type: ignore[attr-defined]

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.layers.source.layer_source import LayerSource
from napari_inr_denoise.plugin.runs.exclusive import running
from napari_inr_denoise.plugin.runs.live_image import LiveImage

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep


SHOW_EVERY_S = 0.25
"""Shortest time between two steps that are shown, in seconds. Whatever changes in the
window, even a label, composes all of it anew: without a GPU that takes more computing
than a step of the training."""
_SHOWING_SHARE = 0.05
"""Largest fraction of the run time that is spent on making the image to show."""


class StepSignals(WorkerBaseSignals):  # type: ignore[misc]
    """Signals of a worker that makes steps."""

    stepped = Signal(object)
    drawn = Signal(object, object)
    finishing = Signal()


class StoppableWorker(WorkerBase):  # type: ignore[misc]
    """A worker that checks a stop event and emits each step as `stepped`."""

    def __init__(self) -> None:
        super().__init__(SignalsClass=StepSignals)
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask the worker to stop and return what it has; returns at once."""
        self._stop.set()

    def quit(self) -> None:
        """Stop also when napari quits its workers on closing."""
        self._stop.set()
        super().quit()


class CallWorker(StoppableWorker):
    """Calls a function that takes no arguments; `returned` has what it returns."""

    def __init__(self, function: Callable[[], object]) -> None:
        super().__init__()
        self._function = function

    def work(self) -> object:
        """Run in the worker's thread."""
        return self._function()


class DenoiseWorker(StoppableWorker):
    """Denoises a source, and shows where it is several times a second.

    The step is then emitted with the current image, always the same array, as `drawn`:
    one signal, so that the window is drawn once. A step without an image is emitted as
    `stepped`. The last step is emitted too. After `stop`, `finishing` is emitted when
    the training has stopped and its best result is filtered. Ends with `returned` (a
    DenoiseResult, also after `stop`; None if stopped before the first step) or
    `errored`, and always with `finished`.

    Parameters
    ----------
    source : LayerSource
        The source of the run.
    settings : DenoiseSettings
        Settings of the run.
    """

    def __init__(self, source: LayerSource, settings: DenoiseSettings) -> None:
        super().__init__()
        self.source = source
        self._settings = settings
        self._show_at = 0.0
        self._live = LiveImage(source)

    def look_at(self, index: dict[str, int]) -> None:
        """Choose the plane, by axis letter, that is shown of a volume."""
        self._live.look_at(index)

    def work(self) -> DenoiseResult | None:
        """Run in the worker's thread."""
        with running(self._stop):
            return self._denoised()

    def _denoised(self) -> DenoiseResult | None:
        from napari_inr_denoise.core.denoise import denoise_steps

        source = self.source
        steps = denoise_steps(
            source.masked(), source.axes, self._settings, source.spacing
        )
        step, is_shown = None, True
        try:
            while not self._stop.is_set():
                step = next(steps)
                is_shown = self._show(step)
        except StopIteration as end:
            if not is_shown:
                self.stepped.emit(step)
            result: DenoiseResult = end.value
            return result
        finally:
            steps.close()
        if step is None:
            return None
        self.finishing.emit()
        return step.stopped()

    def _show(self, step: DenoiseStep) -> bool:
        """Emit a step and its image unless the last ones are recent."""
        started = time.monotonic()
        self._live.note(step)
        if started < self._show_at:
            return False
        # Nothing is trained at step 0: the noisy image tells more.
        is_trained = step.fit is None or step.fit.step
        image = self._live.at(step) if is_trained else None
        if image is None:
            self.stepped.emit(step)
        else:
            self.drawn.emit(step, image)
        took = time.monotonic() - started
        self._show_at = started + max(took / _SHOWING_SHARE, SHOW_EVERY_S)
        return True
