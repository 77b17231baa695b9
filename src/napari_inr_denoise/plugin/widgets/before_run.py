"""The question before a run: asked when the choices rest, answered in a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_inr_denoise.plugin.controls import messages as words
from napari_inr_denoise.plugin.runs.estimate_worker import EstimateWorker, Question
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open

if TYPE_CHECKING:
    from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
    from napari_inr_denoise.core.preflight.estimate import Preflight

_REST_MS = 300
"""Without a change, before it is asked: nobody wants an answer for each turn of a
wheel."""
_NOISE, _NEEDS = "noise", "needs"


class BeforeRun:
    """Tells the noise and what a run will take whenever the choices change.

    Parameters
    ----------
    ask : callable
        Returns what is to be estimated, given whether more than the noise is wanted;
        None if there is nothing. Raises ValueError with a sentence for the user.
    lifetime : Lifetime
        Of the widget.
    """

    noise = Signal(str)
    needs = Signal(str)

    def __init__(
        self, ask: Callable[[bool], Question | None], lifetime: Lifetime
    ) -> None:
        self._ask, self._lifetime = ask, lifetime
        self._generation = 0
        self._worker: EstimateWorker | None = None
        self._open: set[str] = set()
        self._held = False
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._begin)

    def ask_all(self) -> None:
        """Ask for both, because another image or other settings were chosen."""
        self._open = {_NOISE, _NEEDS}
        self._wait()

    def ask_noise(self) -> None:
        """Ask for the noise alone, because another slice is shown."""
        self._open.add(_NOISE)
        self._wait()

    def ask_needs(self) -> None:
        """Ask what a run will take, because it is for other layers."""
        self._open.add(_NEEDS)
        self._wait()

    def hold(self) -> None:
        """Ask nothing while a run is at work; what is on its way is dropped."""
        self._held = True
        self._drop()

    def resume(self) -> None:
        """Go on with what was not answered."""
        self._held = False
        if self._open:
            self._wait()

    def _wait(self) -> None:
        self._drop()
        if not self._held:
            self._timer.start(_REST_MS)

    def _drop(self) -> None:
        """Let what is at work end unheard."""
        self._generation += 1
        self._timer.stop()
        if self._worker is not None:
            self._worker.stop()

    @while_open
    def _begin(self) -> None:
        if self._lifetime.undocked:
            return
        if self._worker is not None:  # one at a time; it was told to stop
            self._timer.start(_REST_MS)
            return
        try:
            question = self._ask(_NEEDS in self._open)
        except ValueError as error:
            self._open.clear()
            self.needs.emit(str(error))
            return
        if question is not None:
            self._start(EstimateWorker(question), self._generation)

    def _start(self, worker: EstimateWorker, generation: int) -> None:
        worker.stepped.connect(lambda found: self._show_noise(found, generation))
        worker.returned.connect(lambda found: self._show_needs(found, generation))
        worker.errored.connect(lambda error: self._show_error(error, generation))
        worker.finished.connect(self._end)
        self._worker = worker
        self._lifetime.start(worker)

    @while_open
    def _show_noise(self, problem: NoisyPlane, generation: int) -> None:
        if generation == self._generation:
            self._open.discard(_NOISE)
            self.noise.emit(words.noise_words(problem))

    @while_open
    def _show_needs(self, found: list[Preflight], generation: int) -> None:
        if generation == self._generation and found:
            self._open.discard(_NEEDS)
            self.needs.emit(words.needs_words(found))

    @while_open
    def _show_error(self, error: Exception, generation: int) -> None:
        if generation == self._generation:
            self._open.clear()
            self.needs.emit(words.error_words(error))

    @while_open
    def _end(self) -> None:
        """Ask again what is still open, such as beside the run of another widget."""
        self._worker = None
        waiting = self._held or self._timer.isActive()
        if self._open and not waiting:
            self._timer.start(_REST_MS)
