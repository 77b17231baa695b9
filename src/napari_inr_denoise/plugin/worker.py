"""The fit in a thread of its own, with an honest Stop."""

from __future__ import annotations

import threading

from napari.qt.threading import WorkerBase, WorkerBaseSignals
from qtpy.QtCore import Signal  # type: ignore[attr-defined]

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.source import LayerSource


class _Signals(WorkerBaseSignals):  # type: ignore[misc]
    stepped = Signal(object)


class DenoiseWorker(WorkerBase):  # type: ignore[misc]
    """Pulls the denoiser's steps; each one is emitted as `stepped`.

    Ends with `returned` (a DenoiseResult, also after `stop`; None if stopped before
    the first step) or `errored`, and always with `finished`.

    Parameters
    ----------
    source : LayerSource
        What to denoise.
    settings : DenoiseSettings
        How.
    """

    def __init__(self, source: LayerSource, settings: DenoiseSettings) -> None:
        super().__init__(SignalsClass=_Signals)
        self.source = source
        self._settings = settings
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ask for the best so far; returns at once."""
        self._stop.set()

    def quit(self) -> None:
        """Stop as well when napari ends its workers on closing."""
        self._stop.set()
        super().quit()

    def work(self):  # type: ignore[no-untyped-def]  # noqa: ANN201 - torch loads late
        """Run in the worker's thread."""
        from napari_inr_denoise.core.denoise import denoise_steps

        source = self.source
        steps = denoise_steps(
            source.read(), source.axes, self._settings, source.spacing
        )
        step = None
        try:
            while not self._stop.is_set():
                step = next(steps)
                self.stepped.emit(step)
        except StopIteration as end:
            return end.value
        finally:
            steps.close()
        return None if step is None else step.stopped()
