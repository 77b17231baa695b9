"""The controls of the widget and the rows that tell what is going on."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import (
    ComboBox,
    Container,
    FloatSlider,
    Label,
    ProgressBar,
    PushButton,
    Slider,
    SpinBox,
    Widget,
    create_widget,
)
from napari.layers import Image
from qtpy.QtWidgets import QWidget

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.controls import messages as words
from napari_inr_denoise.plugin.controls.device_choice import DeviceChoice
from napari_inr_denoise.plugin.controls.plane_table import PlaneTable
from napari_inr_denoise.plugin.controls.preferences import (
    MAXIMUM_SEED,
    preferred_settings,
)
from napari_inr_denoise.plugin.controls.preset_choice import PresetChoice
from napari_inr_denoise.plugin.controls.region_choice import RegionChoice
from napari_inr_denoise.plugin.controls.residual_plot import ResidualPlot
from napari_inr_denoise.plugin.controls.rows import (
    BAR_STEPS,
    arrange,
    insert_below,
    row,
    show_text,
)
from napari_inr_denoise.plugin.controls.tooltips import DENOISE_TIPS, give_hints
from napari_inr_denoise.plugin.layers.displayed import PREVIEW_SIDE
from napari_inr_denoise.plugin.layers.scope import SCOPES, STACK, VOLUME, mode_of

if TYPE_CHECKING:
    from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep
    from napari_inr_denoise.plugin.runs.queue import RunQueue


class DenoiseForm(Container[Widget]):
    """What is chosen and what is shown, without what it does."""

    def __init__(self) -> None:
        super().__init__()
        self._fit_started = 0.0
        self._plotted: tuple[dict[str, int], int] | None = None
        self._make_choices()
        self._make_run_buttons()
        self._make_result_controls()
        self._make_labels()
        self._lay_out()
        self.show_result(None)
        self.show_comparison(on=False)

    def _make_choices(self) -> None:
        self.layer: Any = create_widget(annotation=Image, label="image")
        self.scope = ComboBox(choices=SCOPES, label="denoise")
        self.region = RegionChoice()
        self.preset = PresetChoice()
        self.device = DeviceChoice()
        seed = preferred_settings().seed
        self.seed = SpinBox(value=seed, min=0, max=MAXIMUM_SEED, label="seed")

    def _make_run_buttons(self) -> None:
        self.run_button = PushButton(
            text="&Run",
            tooltip="The chosen image. With several image layers selected, one after "
            "the other",
        )
        self.stop_button = PushButton(text="&Stop", enabled=False)
        self.preview_button = PushButton(
            text="Pr&eview",
            tooltip="What is visible of the slice, at most "
            f"{PREVIEW_SIDE} x {PREVIEW_SIDE} pixels, with the preset fast",
        )
        self.load_button = PushButton(text="Lo&ad settings...")
        self.save_button = PushButton(
            text="Save se&ttings...",
            tooltip="As a file for: inr-denoise run --settings FILE",
        )

    def _make_result_controls(self) -> None:
        self.strength = FloatSlider(
            value=0.0,
            min=-1.0,
            max=1.0,
            step=0.05,
            tooltip="Less (to -1, the input) or more (to 1) denoising than the best "
            "estimate, 0. The result of the selected layer follows at once.",
        )
        self.keep_button = PushButton(
            text="&Keep",
            enabled=False,
            tooltip="Leave all planes of the result at this strength",
        )
        self.removed_button = PushButton(
            text="Re&moved", tooltip="Add what the shown result lacks as a layer"
        )
        self.uncertainty_button = PushButton(
            text="&Uncertainty",
            tooltip="Add the standard deviation of each pixel's error, at strength 0, "
            "as a layer",
        )
        self.report_button = PushButton(
            text="Rep&ort...", tooltip="Save noise, stop and trust as JSON or CSV"
        )
        self.compare_button = PushButton(
            text="&Compare",
            tooltip="Show the noisy image left of a divide, the result right of it",
        )
        self.compare_button.native.setCheckable(True)
        self.divide = Slider(
            value=500, max=1000, readout=False, tooltip="Where the divide is"
        )

    def _make_labels(self) -> None:
        self.needs_label = Label(value="-", label="expected")
        self.progress = ProgressBar(value=0, min=0, max=BAR_STEPS, label="progress")
        self.noise_label = Label(value="-", label="noise")
        self.residual_label = Label(value="-", label="residual")
        self.step_label = Label(value="-", label="step")
        self.status_label = Label(value="Choose an image and press Run.", label="")
        self.plot = ResidualPlot()
        self.table = PlaneTable()

    def _lay_out(self) -> None:
        how = row(self.preset, Label(value="seed"), self.seed)
        how.label = self.preset.label
        choices = (self.layer, self.scope, self.region, how, self.device)
        self.extend([*choices, *self._rows()])
        arrange(self)
        insert_below(self.residual_label, self.plot)
        insert_below(self.status_label, self.table)
        QWidget.setTabOrder(self.save_button.native, self.table)
        give_hints(self, DENOISE_TIPS)

    @property
    def _choices(self) -> tuple[Widget, ...]:
        return (
            self.layer,
            self.scope,
            self.region,
            self.preset,
            self.device,
            self.seed,
        )

    def _rows(self) -> list[Widget]:
        strength = row(self.strength, self.keep_button)
        strength.label = "strength"
        return [
            strength,
            self.noise_label,
            self.needs_label,
            row(self.run_button, self.preview_button, self.stop_button),
            row(self.load_button, self.save_button),
            self.progress,
            self.residual_label,
            self.step_label,
            self.status_label,
            row(self.removed_button, self.uncertainty_button, self.report_button),
            row(self.compare_button, self.divide),
        ]

    @property
    def settings(self) -> DenoiseSettings:
        """What is chosen, as settings of a run."""
        return self.preset.settings(
            seed=self.seed.value,
            device=self.device.value,
            mode=mode_of(self.scope.value),
            strength=self.strength.value,
        )

    def load(self, path: Path) -> None:
        """Choose what a file of settings says.

        Raises
        ------
        OSError, TypeError, ValueError
            If it is no such file; nothing has changed then.
        """
        settings = self.preset.load(path)
        self.seed.value = settings.seed
        self.strength.value = settings.strength
        self.device.prefer(settings.device)
        if mode_of(self.scope.value) != settings.mode:
            self.scope.value = VOLUME if settings.mode == "volume" else STACK

    def allow(self, running: bool) -> None:
        """Allow what makes sense now: only Stop during a fit."""
        for widget in (*self._choices, self.strength, self.load_button):
            widget.enabled = not running
        # The published method, whatever the preset.
        self.preset.enabled = not running and self.scope.value != VOLUME
        self.run_button.enabled = not running
        self.preview_button.enabled = not running
        self.stop_button.enabled = running
        if not running:
            self._show_left("")

    def allow_volume(self, hindrance: str) -> None:
        """Offer the volume, unless there is a reason against it."""
        at = SCOPES.index(VOLUME)
        native = self.scope.native
        native.model().item(at).setEnabled(not hindrance)
        native.model().item(at).setToolTip(hindrance)

    def clear_progress(self) -> None:
        """Begin anew, with one of the images."""
        self.plot.clear()
        self._plotted = None
        self._fit_started = time.monotonic()
        for label in (self.residual_label, self.step_label):
            show_text(label, "-")

    def show_progress(self, step: DenoiseStep, queue: RunQueue) -> None:
        """Show where a run is, and how much of all its images is done."""
        self.show_share(queue.share(step.progress), queue.left_words(step.progress))
        show_text(self.noise_label, words.noise_words(step.problem))
        show_text(self.residual_label, words.residual_words(step))
        show_text(self.step_label, words.step_words(step))
        self._plot(step)

    def _plot(self, step: DenoiseStep) -> None:
        """Go on with the curve of the plane or tile at work, or begin with another."""
        at, ended = (step.plane.index, step.tile_number), step.fit is None
        if self._plotted not in (None, at) and not self.plot.ended:
            if ended:
                return  # the end of one that was fitted beside it
            self.plot.clear()
        seconds = time.monotonic() - self._fit_started
        self.plot.add(seconds, words.residual_ratio(step), ended=ended)
        self._plotted = None if step.learning else at

    def show_share(self, share: float, left: str) -> None:
        """Show how much of a run is done, and how long it will go on, in the bar.

        Not in a row of its own, which would change its height, and so all below it.
        """
        self.progress.value = round(share * BAR_STEPS)
        self._show_left(left)

    def _show_left(self, left: str) -> None:
        self.progress.native.setFormat(f"%p%, {left}" if left else "%p%")

    def show_result(self, result: DenoiseResult | None, noisy: bool = False) -> None:
        """Offer what there is to see of a result.

        Parameters
        ----------
        result : DenoiseResult or None
            Nothing is offered if there is none.
        noisy : bool
            Whether there is still the noisy image to be compared with.
        """
        colours = result is not None and "S" in (result.report.files[0].axes or "")
        self.removed_button.enabled = noisy and not colours
        self.compare_button.enabled = noisy
        self.report_button.enabled = result is not None
        self.uncertainty_button.enabled = (
            result is not None and result.uncertainty is not None and not colours
        )
        self.table.show_planes(() if result is None else result.report.files[0].planes)

    def show_comparison(self, *, on: bool) -> None:
        """Show whether before and after are compared."""
        self.compare_button.value = on
        self.divide.enabled = on

    def say(self, text: str) -> None:
        """Show a sentence for the user."""
        show_text(self.status_label, text)
