"""The slider between less and more denoising, answered without fitting again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image
from numpy.typing import NDArray
from qtpy.QtCore import QTimer

from napari_inr_denoise.plugin.at_strength import AtStrength
from napari_inr_denoise.plugin.denoise_form import DenoiseForm
from napari_inr_denoise.plugin.lifetime import Lifetime, while_open
from napari_inr_denoise.plugin.report_key import REPORT_KEY
from napari_inr_denoise.plugin.source import LayerSource
from napari_inr_denoise.plugin.worker import StoppableWorker

if TYPE_CHECKING:  # the module behind it loads torch
    from napari_inr_denoise.core.denoise import DenoiseResult
    from napari_inr_denoise.core.report import DenoiseReport

_REST_MS = 40
"""Without a move of the slider, before the layer follows."""


class StrengthControl:
    """Shows the last result at the strength that the slider tells.

    While the slider moves, planes are made as they are looked at; `Keep` makes them
    all and leaves a plain array in the layer.

    Parameters
    ----------
    form : DenoiseForm
        Which has the slider and the button.
    lifetime : Lifetime
        Of the widget.
    """

    def __init__(self, form: DenoiseForm, lifetime: Lifetime) -> None:
        self._form, self._lifetime = form, lifetime
        self._result: DenoiseResult | None = None
        self._source: LayerSource
        self._layer: Image
        self._shown = 0.0
        # Not to be asked of the layer: napari gives plugins proxies of what it holds.
        self._data: AtStrength | None = None
        self._timer = QTimer()
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._follow)
        form.strength.changed.connect(lambda _: self._timer.start(_REST_MS))
        form.keep_button.changed.connect(self._keep)

    def show(self, source: LayerSource, result: DenoiseResult, layer: Image) -> None:
        """Take a new result, fitted at strength 0, to the slider's strength."""
        self._source, self._result, self._layer = source, result, layer
        self._shown, self._data = 0.0, None
        self._follow()

    def forget(self) -> None:
        """Let go of the last result; its layer stays as it is shown."""
        self._timer.stop()
        self._result = self._data = None
        self._form.keep_button.enabled = False

    @property
    def report(self) -> DenoiseReport | None:
        """The result's report, with the strength that is shown."""
        if self._result is None or self._shown == 0:
            return None if self._result is None else self._result.report
        report = self._result.report
        (file,) = report.files
        note = (
            f"The strength was set to {self._shown:g} after the fit: what is said of "
            "the planes is said of the fit, at strength 0."
        )
        return replace(
            report,
            settings=replace(report.settings, strength=self._shown),
            files=(replace(file, notes=(*file.notes, note)),),
        )

    @while_open
    def _follow(self) -> None:
        strength = self._form.strength.value
        if self._result is None or strength == self._shown:
            return
        if strength == 0:
            self._data = None
            self._put(self._source.displayable(self._result.image))
        else:
            self._data = AtStrength(self._source, self._result, strength)
            self._put(self._data)
        self._shown = strength
        self._form.keep_button.enabled = strength != 0
        report = self.report
        if report is not None:
            self._layer.metadata[REPORT_KEY] = report.to_dict()

    def _put(self, data: AtStrength | NDArray[np.generic]) -> None:
        limits = self._layer.contrast_limits
        self._layer.data = data
        self._layer.contrast_limits = limits

    def _keep(self) -> None:
        """Make all planes, in a thread: a long stack takes seconds."""
        if self._data is None:
            return
        self._form.keep_button.enabled = False
        worker = _Maker(self._data)
        worker.returned.connect(self._show_kept)
        self._lifetime.start(worker)

    @while_open
    def _show_kept(self, made: tuple[AtStrength, NDArray[np.generic]]) -> None:
        data, image = made
        if self._data is data:  # and the slider was not moved meanwhile
            self._data = None
            self._put(image)
            self._form.say(f"Kept at strength {self._shown:g}.")


class _Maker(StoppableWorker):
    """Returns an array with all of its values, made in a thread."""

    def __init__(self, data: AtStrength) -> None:
        super().__init__()
        self._data = data

    def work(self) -> tuple[AtStrength, NDArray[np.generic]]:
        """Run in the worker's thread."""
        return self._data, np.asarray(self._data)
