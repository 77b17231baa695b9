"""Work in a thread of its own, with an honest Stop."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from napari.qt.threading import WorkerBase, WorkerBaseSignals
from qtpy.QtCore import Signal  # type: ignore[attr-defined]

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.layers.source import LayerSource
from napari_inr_denoise.plugin.runs.exclusive import running
from napari_inr_denoise.plugin.runs.live_image import LiveImage

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep


_LEAST_S = 0.25
"""Between two looks at the image."""
_DRAWING_SHARE = 0.05
"""Of a run's time that may go into showing it."""


class StepSignals(WorkerBaseSignals):  # type: ignore[misc]
    """What a worker emits that hands over steps."""

    stepped = Signal(object)
    drawn = Signal(object)


class StoppableWorker(WorkerBase):  # type: ignore[misc]
    """Work that looks now and then whether it shall stop; each step is `stepped`."""

    def __init__(self) -> None:
        super().__init__(SignalsClass=StepSignals)
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask for an end with what there is; returns at once."""
        self._stop.set()

    def quit(self) -> None:
        """Stop as well when napari ends its workers on closing."""
        self._stop.set()
        super().quit()


class DenoiseWorker(StoppableWorker):
    """Pulls the denoiser's steps; each one is emitted as `stepped`.

    The image as it is by then is emitted as `drawn`, some times a second: always the
    same array. Ends with `returned` (a DenoiseResult, also after `stop`; None if
    stopped before the first step) or `errored`, and always with `finished`.

    Parameters
    ----------
    source : LayerSource
        What to denoise.
    settings : DenoiseSettings
        How.
    """

    def __init__(self, source: LayerSource, settings: DenoiseSettings) -> None:
        super().__init__()
        self.source = source
        self._settings = settings
        self._draw_at = 0.0
        self._live = LiveImage(source)

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
        step = None
        try:
            while not self._stop.is_set():
                step = next(steps)
                self.stepped.emit(step)
                self._draw(step)
        except StopIteration as end:
            result: DenoiseResult = end.value
            return result
        finally:
            steps.close()
        return None if step is None else step.stopped()

    def _draw(self, step: DenoiseStep) -> None:
        """Hand over the image, seldom enough to cost the run next to nothing."""
        started = time.monotonic()
        self._live.note(step)
        if started < self._draw_at:
            return
        self.drawn.emit(self._live.at(step))
        took = time.monotonic() - started
        self._draw_at = started + max(took / _DRAWING_SHARE, _LEAST_S)
