"""The strength slider: less or more denoising without another fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_inr_denoise.plugin.results.at_strength import AtStrength
from napari_inr_denoise.plugin.results.finished import Finished
from napari_inr_denoise.plugin.runs.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.runs.worker import CallWorker
from napari_inr_denoise.plugin.sections.result_section import ResultSection

_REST_MS = 40
"""Time without a move of the slider before the layer follows, in milliseconds."""


class StrengthControl:
    """Shows a result at the strength of the slider.

    The layer then holds a lazy array that computes the displayed plane. The button
    computes all planes and leaves a NumPy array in the layer.

    Parameters
    ----------
    section : ResultSection
        With the slider and the button.
    lifetime : Lifetime
        Lifetime of the panel.
    say : callable
        Takes a message for the user.

    Attributes
    ----------
    changed : Signal
        Emitted when the result is shown at another strength.
    """

    changed = Signal()

    def __init__(
        self, section: ResultSection, lifetime: Lifetime, say: Callable[[str], None]
    ) -> None:
        self._section, self._lifetime, self._say = section, lifetime, say
        self._offered: Finished | None = None
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._follow)
        section.strength.changed.connect(lambda _: self._timer.start(_REST_MS))
        section.keep_button.clicked.connect(self._keep)

    def offer(self, finished: Finished | None) -> None:
        """Connect the slider with a result; None during a run."""
        self._offered = finished
        if finished is not None:
            self._section.strength.value = finished.strength
        self._timer.stop()
        self._allow_keeping()

    def _allow_keeping(self) -> None:
        offered = self._offered
        unkept = (
            offered is not None
            and offered.in_making is not None
            and len(offered.result.report.files[0].planes) > 1
        )
        self._section.allow_keeping(unkept)

    @while_open
    def _follow(self) -> None:
        if self._offered is not None and self._offered.has_strengths:
            self._offered.set_strength(self._section.strength.value)
            self._allow_keeping()
            self.changed.emit()

    def _keep(self) -> None:
        """Compute all planes in a thread: a long stack takes seconds."""
        finished = self._offered
        if finished is None or finished.in_making is None:
            return
        self._section.allow_keeping(False)
        data = finished.in_making
        worker = CallWorker(lambda: (finished, data, np.asarray(data)))
        worker.returned.connect(self._show_kept)
        worker.errored.connect(self._show_failure)
        self._lifetime.start(worker)

    @while_open
    def _show_failure(self, error: Exception) -> None:
        self._allow_keeping()
        self._say(f"The strength could not be applied: {error}")

    @while_open
    def _show_kept(
        self, made: tuple[Finished, AtStrength, NDArray[np.generic]]
    ) -> None:
        finished, data, image = made
        if finished.keep(data, image):
            self._say(f"Strength {finished.strength:g} applied to all planes.")
