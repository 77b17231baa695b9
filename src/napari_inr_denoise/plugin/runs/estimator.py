"""Starts estimates once the choices no longer change, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_inr_denoise.plugin.runs.estimate_worker import (
    EstimateRequest,
    EstimateWorker,
    Needs,
)
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open

if TYPE_CHECKING:
    from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_REST_MS = 300
"""Time without a change before an estimate starts, in milliseconds: a turn of the
mouse wheel makes many changes."""
_NOISE, _NEEDS = "noise", "needs"


class Estimator:
    """Makes the estimates that were asked for, in a thread.

    Parameters
    ----------
    request : callable
        Returns what to estimate, given whether more than the noise is wanted; None if
        there is nothing to estimate.
    lifetime : Lifetime
        Of the widget.

    Attributes
    ----------
    noise : Signal
        Emitted with the noise of the displayed slice (NoisyPlane).
    needs : Signal
        Emitted with the time and memory of a run (`Needs`).
    failed : Signal
        Emitted with the exception of an estimate.
    """

    noise = Signal(object)
    needs = Signal(object)
    failed = Signal(object)

    def __init__(
        self, request: Callable[[bool], EstimateRequest | None], lifetime: Lifetime
    ) -> None:
        self._request, self._lifetime = request, lifetime
        self._generation = 0
        self._worker: EstimateWorker | None = None
        self._wanted: set[str] = set()
        self._held = False
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._begin)

    def ask(self, *, noise: bool = False, needs: bool = False) -> None:
        """Ask for the noise, for the needs of a run, or for both."""
        self._wanted |= {_NOISE} if noise else set()
        self._wanted |= {_NEEDS} if needs else set()
        self._wait()

    def hold(self) -> None:
        """Pause, and drop the current estimate."""
        self._held = True
        self._drop()

    def resume(self) -> None:
        """Continue with what was asked for and not answered."""
        self._held = False
        if self._wanted:
            self._wait()

    def _wait(self) -> None:
        self._drop()
        if not self._held:
            self._timer.start(_REST_MS)

    def _drop(self) -> None:
        """Stop the current estimate and ignore its answer."""
        self._generation += 1
        self._timer.stop()
        if self._worker is not None:
            self._worker.stop()

    @while_open
    def _begin(self) -> None:
        if self._lifetime.undocked:
            return
        if self._worker is not None:  # it was told to stop
            self._timer.start(_REST_MS)
            return
        request = self._request(_NEEDS in self._wanted)
        if request is None:
            self._wanted.clear()
        else:
            self._start(EstimateWorker(request), self._generation)

    def _start(self, worker: EstimateWorker, generation: int) -> None:
        worker.stepped.connect(lambda found: self._tell(found, generation))
        worker.returned.connect(lambda done: self._note(done, generation))
        worker.errored.connect(lambda error: self._tell_error(error, generation))
        worker.finished.connect(self._end)
        self._worker = worker
        self._lifetime.start(worker)

    @while_open
    def _tell(self, found: NoisyPlane | Needs, generation: int) -> None:
        if generation != self._generation:
            return
        if isinstance(found, Needs):
            self.needs.emit(found)
        else:
            self._wanted.discard(_NOISE)
            self.noise.emit(found)

    @while_open
    def _note(self, done: bool, generation: int) -> None:
        if done and generation == self._generation:
            self._wanted.discard(_NEEDS)

    @while_open
    def _tell_error(self, error: Exception, generation: int) -> None:
        if generation == self._generation:
            self._wanted.clear()
            self.failed.emit(error)

    @while_open
    def _end(self) -> None:
        """Repeat what is unanswered, for example because another widget was running."""
        self._worker = None
        waiting = self._held or self._timer.isActive()
        if self._wanted and not waiting:
            self._timer.start(_REST_MS)
