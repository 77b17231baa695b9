"""The button that starts a run; while one is at work, its phase, progress and Stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from napari_inr_denoise.plugin.controls import messages
from napari_inr_denoise.plugin.elements.form import TextLabel, button
from napari_inr_denoise.plugin.elements.plot import FitPlot
from napari_inr_denoise.plugin.elements.progress import ShareBar
from napari_inr_denoise.plugin.layers.source.displayed import PREVIEW_SIDE

if TYPE_CHECKING:
    from napari_inr_denoise.core.denoise import DenoiseStep

_ERROR, _RESIDUAL = "error / noise level", "residual / noise level"
_STILL_S = 1.5
"""Seconds without a new training step after which the network is predicting."""
_STOP, _STOPPING, _FINISHING = "Stop", "Stopping...", "Finishing..."


class RunBar:
    """Starts runs, and shows the one that is at work in place of the buttons.

    Attributes
    ----------
    native : QWidget
        The Qt side.
    status_label : TextLabel
        What the last action led to.
    """

    def __init__(self) -> None:
        self._fit_started = self._stepped = 0.0
        self._number = 0
        self._stopping = False
        self._plotted: tuple[dict[str, int], int] | None = None
        self.start_button = button(
            "Denoise",
            "Denoise the image into a new layer; of several selected layers, one "
            "after the other",
            "primary",
        )
        self.preview_button = button(
            "Preview",
            f"Denoise what is visible, at most {PREVIEW_SIDE} x {PREVIEW_SIDE} "
            "pixels, with the quality Fast",
        )
        self.compare_button = button(
            "\u25be", "Preview with two qualities side by side", "icon"
        )
        self.compare_button.setAccessibleName("Compare previews")
        self.compare_menu = QMenu(self.compare_button)
        self.compare_button.clicked.connect(self._open_menu)
        self.stop_button = button(_STOP, "Stop now and keep the best result so far")
        self.phase_label = TextLabel("", hides=False)
        self.left_label = TextLabel()
        self.progress = ShareBar()
        self.progress.setToolTip("Share of the whole run that is done")
        self.plot = FitPlot(
            _RESIDUAL,
            "Estimated error over time, as a multiple of the noise level (dashed), "
            "where it is known; else the residual. The mark shows where the fit ended.",
            reference=1.0,
            suffix=" x",
        )
        self.status_label = TextLabel()
        self._lay_out()
        self.show_running(on=False)

    def _lay_out(self) -> None:
        self._idle, self._busy = QWidget(), QWidget()
        idle = QHBoxLayout(self._idle)
        idle.addWidget(self.start_button, stretch=2)
        idle.addWidget(self.preview_button, stretch=1)
        idle.addWidget(self.compare_button)
        busy = QVBoxLayout(self._busy)
        told = QHBoxLayout()
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self.phase_label)
        words.addWidget(self.left_label)
        told.addLayout(words, stretch=1)
        told.addWidget(self.stop_button)
        busy.addLayout(told)
        busy.addWidget(self.progress)
        busy.addWidget(self.plot)
        self.native = QWidget()
        layout = QVBoxLayout(self.native)
        layout.setSpacing(4)
        for one in (idle, busy, layout):
            one.setContentsMargins(0, 0, 0, 0)
        for part in (self._idle, self._busy, self.status_label):
            layout.addWidget(part)

    def offer_comparison(self, name: str, compare: Callable[[], None]) -> None:
        """Offer to preview the quality Fast beside another one."""
        self.compare_menu.addAction(f"Preview Fast | {name.capitalize()}", compare)

    def _open_menu(self) -> None:
        below = self.compare_button.rect().bottomLeft()
        self.compare_menu.popup(self.compare_button.mapToGlobal(below))

    def show_running(self, *, on: bool) -> None:
        """Show the run that is at work, or the buttons that start one."""
        self._idle.setVisible(not on)
        self._busy.setVisible(on)
        self._stopping = False
        self.stop_button.setText(_STOP)
        self.stop_button.setEnabled(on)

    def show_stopping(self) -> None:
        """Show that Stop was heard, and nothing of the training from then on."""
        self._stopping = True
        self.stop_button.setText(_STOPPING)
        self.stop_button.setEnabled(False)
        self.left_label.value = ""

    def show_finishing(self) -> None:
        """Show that the training has stopped, and its best result is filtered."""
        if self._stopping:
            self.phase_label.value = _FINISHING

    def show_layer_count(self, count: int) -> None:
        """Show how many layers the button starts, if there are several."""
        text = f"Denoise {count} layers" if count > 1 else "Denoise"
        self.start_button.setText(text)
        self.start_button.setAccessibleName(text)

    def allow(self, *, start: bool) -> None:
        """Enable the buttons if there is something to denoise."""
        self.start_button.setEnabled(start)
        self.preview_button.setEnabled(start)
        self.compare_button.setEnabled(start)

    def begin(self, text: str) -> None:
        """Show the start of the run of an image."""
        self.plot.clear(_RESIDUAL)
        self.plot.setVisible(False)  # until there is something to see
        self._plotted = None
        self._fit_started = self._stepped = time.monotonic()
        self._number = 0
        self.phase_label.value = text
        self.left_label.value = ""
        self.status_label.value = ""
        self.progress.show_share(0.0)

    def show_step(self, step: DenoiseStep, position: str) -> None:
        """Show a step of a run.

        Parameters
        ----------
        step : DenoiseStep
            The last step of the image being denoised.
        position : str
            Which of several layers is at work, with a colon; empty for one.
        """
        if self._stopping:
            return
        now, number = time.monotonic(), 0 if step.fit is None else step.fit.step
        if number != self._number:
            self._number, self._stepped = number, now
        still = now - self._stepped > _STILL_S
        self.phase_label.value = position + messages.phase_message(step, still=still)
        self._plot(step)

    def show_time(self, share: float, time_left: str) -> None:
        """Show how much of a run is done.

        Parameters
        ----------
        share : float
            Finished fraction of all images of the run, 0 to 1.
        time_left : str
            Estimated time until the end of the run; empty if unknown.
        """
        if self._stopping:
            return
        self.left_label.value = time_left
        self.progress.show_share(share)

    def _plot(self, step: DenoiseStep) -> None:
        """Extend the curve of the current plane or tile, or start that of another."""
        at, ended = (step.plane.index, step.tile_number), step.fit is None
        if self._plotted not in (None, at) and not self.plot.ended:
            if ended:
                return  # the end of another fit that runs concurrently
            self.plot.clear(_RESIDUAL)
        seconds = time.monotonic() - self._fit_started
        error = messages.error_ratio(step)
        if error > 0 and not (ended and self.plot.label == _RESIDUAL):
            if self.plot.label != _ERROR:
                self.plot.clear(_ERROR)
            value = error
        elif self.plot.label == _ERROR:
            value = math.nan
        else:
            value = messages.residual_ratio(step)
        self.plot.add(seconds, value, ended=ended)
        self.plot.setVisible(len(self.plot.points) > 1)
        self._plotted = None if step.learning else at

    def say(self, text: str) -> None:
        """Show a message."""
        self.status_label.value = text
