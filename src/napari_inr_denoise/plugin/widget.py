"""The widget: choose a layer, run, watch the noise level and the stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import napari
from magicgui.widgets import (
    ComboBox,
    Container,
    Label,
    ProgressBar,
    PushButton,
    SpinBox,
    Widget,
    create_widget,
)
from napari.layers import Image
from napari.utils.events import Event
from napari.utils.notifications import show_error

from napari_inr_denoise.core.settings import PRESETS, preset_settings
from napari_inr_denoise.plugin import words
from napari_inr_denoise.plugin.device_probe import DeviceProbe
from napari_inr_denoise.plugin.lifetime import Lifetime
from napari_inr_denoise.plugin.source import take_source
from napari_inr_denoise.plugin.worker import DenoiseWorker

if TYPE_CHECKING:
    from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep

SLICE = "current 2D slice"
STACK = "every plane of the stack"
REPORT_KEY = "inr_denoise"
_BAR_STEPS = 1000
_LOOKING = "looking for a GPU..."
_LABEL_PIXELS = 70
_DOCK_PIXELS = 300
_P = ParamSpec("_P")


def _while_open(
    slot: Callable[Concatenate[InrDenoiseWidget, _P], None],
) -> Callable[Concatenate[InrDenoiseWidget, _P], None]:
    """Skip a slot once the window is gone: Qt's own objects are deleted by then."""

    def guarded(
        widget: InrDenoiseWidget, /, *args: _P.args, **kwargs: _P.kwargs
    ) -> None:
        if not widget._lifetime.over:
            slot(widget, *args, **kwargs)

    return guarded


def _show_text(label: Label, text: str) -> None:
    """Show a text that may take several lines, with room for all of them.

    A layout gives a wrapping label the height of its last text, and clips the new one.
    """
    label.value = text
    label.native.setMinimumHeight(label.native.heightForWidth(label.native.width()))


class InrDenoiseWidget(Container[Widget]):
    """Denoises the selected layer; the result is added as a new layer.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where the layers are.
    """

    def __init__(self, napari_viewer: napari.Viewer) -> None:
        super().__init__()
        self._viewer = napari_viewer
        self._worker: DenoiseWorker | None = None
        self._devices = [(_LOOKING, "auto")]
        self._planes = 0
        self.layer: Any = create_widget(annotation=Image, label="image")
        self.scope = ComboBox(choices=[SLICE, STACK], label="denoise")
        self.preset = ComboBox(choices=list(PRESETS), label="preset")
        # Given as a function: magicgui asks again whenever the layers change.
        self.device = ComboBox(choices=lambda _: self._devices, label="device")
        self.seed = SpinBox(value=0, min=0, max=2**31 - 1, label="seed")
        self.run_button = PushButton(text="Run")
        self.stop_button = PushButton(text="Stop", enabled=False)
        self.progress = ProgressBar(value=0, min=0, max=_BAR_STEPS, label="progress")
        self.noise_label = Label(value="-", label="noise")
        self.residual_label = Label(value="-", label="residual")
        self.step_label = Label(value="-", label="step")
        self.status_label = Label(value="Choose an image and press Run.", label="")
        buttons = Container(
            widgets=[self.run_button, self.stop_button],
            layout="horizontal",
            labels=False,
        )
        buttons.margins = (0, 0, 0, 0)
        self.extend(
            [
                self.layer,
                self.scope,
                self.preset,
                self.device,
                self.seed,
                buttons,
                self.progress,
                self.noise_label,
                self.residual_label,
                self.step_label,
                self.status_label,
            ]
        )
        self._lifetime = Lifetime(self.native)
        self._prepare_native()
        self._connect()

    def _prepare_native(self) -> None:
        """Align the rows, let texts wrap, and gather all at the top."""
        for widget in self:
            row = widget.native.parentWidget().layout()
            row.itemAt(0).widget().setMinimumWidth(_LABEL_PIXELS)
            if isinstance(widget, Label):
                widget.native.setWordWrap(True)
                policy = widget.native.sizePolicy()
                policy.setHorizontalPolicy(policy.Policy.Expanding)
                widget.native.setSizePolicy(policy)
        self.device.native.setMinimumContentsLength(18)
        self.native.setMinimumWidth(_DOCK_PIXELS)
        self.native.layout().addStretch()

    def _connect(self) -> None:
        self.run_button.changed.connect(self.run)
        self.stop_button.changed.connect(self.stop)
        self._viewer.layers.selection.events.active.connect(self._follow_selection)
        self._probe = DeviceProbe()
        self._probe.returned.connect(self._show_devices)
        self._probe.errored.connect(self._show_device_error)
        self._probe.start()

    @property
    def running(self) -> bool:
        """Whether a fit is at work."""
        return self._worker is not None

    def run(self) -> None:
        """Start on the chosen layer; the result comes as a new layer."""
        if self._worker is not None:
            return
        layer: Image | None = self.layer.value
        if layer is None:
            self._say("There is no image layer. Open an image first.")
            return
        try:
            whole_stack = self.scope.value == STACK
            source = take_source(layer, self._viewer.dims, whole_stack)
            settings = preset_settings(
                self.preset.value, seed=self.seed.value, device=self.device.value
            )
        except ValueError as error:
            self._say(str(error))
            return
        self._start(DenoiseWorker(source, settings))

    def stop(self) -> None:
        """Stop the fit; its best so far becomes the result."""
        if self._worker is not None:
            self._worker.stop()

    @_while_open
    def _follow_selection(self, _: Event) -> None:
        """Choose the layer that the user selects, unless it is a result."""
        active = self._viewer.layers.selection.active
        if (
            not self.running
            and active in self.layer.choices
            and REPORT_KEY not in active.metadata
        ):
            self.layer.value = active

    def _start(self, worker: DenoiseWorker) -> None:
        worker.stepped.connect(self._show_step)
        worker.returned.connect(self._show_result)
        worker.errored.connect(self._show_failure)
        worker.finished.connect(self._show_finished)
        self._worker = worker
        self._lifetime.worker = worker
        self._planes = 0
        self.progress.value = 0
        for label in (self.noise_label, self.residual_label, self.step_label):
            label.value = "-"
        self._say("Estimating the noise...")
        self._set_running(True)
        worker.start()

    def _set_running(self, running: bool) -> None:
        """Allow what makes sense now: only Stop during a fit."""
        for widget in (self.layer, self.scope, self.preset, self.device, self.seed):
            widget.enabled = not running
        self.run_button.enabled = not running
        self.stop_button.enabled = running

    @_while_open
    def _show_step(self, step: DenoiseStep) -> None:
        self._planes = step.plane_count
        self.progress.value = int(step.progress * _BAR_STEPS)
        _show_text(self.noise_label, words.noise_words(step))
        _show_text(self.residual_label, words.residual_words(step))
        _show_text(self.step_label, words.step_words(step))
        self._say("Fitting until the residual comes down to the noise level...")

    @_while_open
    def _show_result(self, result: DenoiseResult | None) -> None:
        if self._worker is None or result is None:
            self._say("Stopped before there was a result.")
            return
        keywords = dict(self._worker.source.keywords)
        keywords["metadata"][REPORT_KEY] = result.report.to_dict()
        self._viewer.add_image(
            self._worker.source.displayable(result.image), **keywords
        )
        self._say(words.ending_words(result, self._planes))

    @_while_open
    def _show_failure(self, error: Exception) -> None:
        text = words.error_words(error)
        self._say(text)
        show_error(text)

    @_while_open
    def _show_finished(self) -> None:
        self._worker = self._lifetime.worker = None
        self._set_running(False)

    @_while_open
    def _show_devices(self, devices: list[tuple[str, str]]) -> None:
        self._devices = devices
        self.device.reset_choices()

    @_while_open
    def _show_device_error(self, error: Exception) -> None:
        self._devices = [("no device", "auto")]
        self.device.reset_choices()
        self._say(f"PyTorch could not be loaded: {error}. Reinstall it, then reopen.")

    def _say(self, text: str) -> None:
        _show_text(self.status_label, text)
