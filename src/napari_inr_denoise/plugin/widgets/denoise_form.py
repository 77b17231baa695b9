"""The controls of the denoising panel and the rows that show a run and its result."""

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
from napari_inr_denoise.plugin.controls import messages
from napari_inr_denoise.plugin.controls.device_choice import DeviceChoice
from napari_inr_denoise.plugin.controls.file_dialogs import (
    ask_and_load,
    ask_for_name,
    save_settings,
)
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
from napari_inr_denoise.plugin.controls.tooltips import DENOISE_TIPS, set_tooltips
from napari_inr_denoise.plugin.layers.displayed import PREVIEW_SIDE
from napari_inr_denoise.plugin.layers.scope import SCOPES, STACK, VOLUME, mode_of

if TYPE_CHECKING:
    from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep


class DenoiseForm:
    """The rows of the panel: their controls, the values chosen, the texts shown.

    It knows nothing of runs. Others connect to the buttons and call the `show` methods.

    Parameters
    ----------
    panel : Container
        Empty; the rows are added to it.

    Attributes
    ----------
    native : QWidget
        The Qt side of the panel, as the parent of dialogs.
    """

    def __init__(self, panel: Container[Widget]) -> None:
        self.native: QWidget = panel.native
        self._fit_started = 0.0
        self._plotted: tuple[dict[str, int], int] | None = None
        self._make_choices()
        self._make_run_buttons()
        self._make_result_controls()
        self._make_labels()
        self._lay_out(panel)
        self.show_result(None)
        self.show_comparison(on=False)
        self.device.failed.connect(self.say)
        self.scope.changed.connect(self._allow_preset)
        self.load_button.changed.connect(self._ask_and_load)
        self.save_button.changed.connect(self._ask_and_save)

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
            tooltip="Denoise the chosen image. If several image layers are selected, "
            "denoise them one after the other",
        )
        self.stop_button = PushButton(text="&Stop", enabled=False)
        self.preview_button = PushButton(
            text="Pr&eview",
            tooltip="Denoise the visible part of the slice, at most "
            f"{PREVIEW_SIDE} x {PREVIEW_SIDE} pixels, with the preset fast",
        )
        self.load_button = PushButton(text="Lo&ad settings...")
        self.save_button = PushButton(
            text="Save se&ttings...",
            tooltip="Save the settings to a file, also for the command line: "
            "inr-denoise run --settings FILE",
        )

    def _make_result_controls(self) -> None:
        self.strength = FloatSlider(
            value=0.0,
            min=-1.0,
            max=1.0,
            step=0.05,
            tooltip="0 is the best estimate; below 0 denoises less (-1 is the noisy "
            "image), above 0 more. The result of the selected layer changes at once.",
        )
        self.keep_button = PushButton(
            text="&Keep",
            enabled=False,
            tooltip="Compute all planes of the result at this strength and keep them",
        )
        self.removed_button = PushButton(
            text="Re&moved",
            tooltip="Add a layer with what was removed: noisy minus denoised",
        )
        self.uncertainty_button = PushButton(
            text="&Uncertainty",
            tooltip="Add a layer with the expected error (standard deviation) of each "
            "pixel, at strength 0",
        )
        self.structured_button = PushButton(
            text="Structure&d",
            tooltip="Add a layer with the noise of whole rows or columns, or of the "
            "same pixels in all planes, that was removed",
        )
        self.report_button = PushButton(
            text="Rep&ort...",
            tooltip="Save noise, stop reason and verdict as JSON or CSV",
        )
        self.compare_button = PushButton(
            text="&Compare",
            tooltip="Show the noisy image left of a divide and the result right of it",
        )
        self.compare_button.native.setCheckable(True)
        self.divide = Slider(
            value=500, max=1000, readout=False, tooltip="Position of the divide"
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

    def _lay_out(self, panel: Container[Widget]) -> None:
        how = row(self.preset, Label(value="seed"), self.seed)
        how.label = self.preset.label
        choices = (self.layer, self.scope, self.region, how, self.device)
        panel.extend([*choices, *self._rows()])
        arrange(panel)
        insert_below(self.residual_label, self.plot)
        insert_below(self.status_label, self.table)
        QWidget.setTabOrder(self.save_button.native, self.table)
        set_tooltips(panel, self, DENOISE_TIPS)

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
            row(
                self.removed_button,
                self.uncertainty_button,
                self.structured_button,
            ),
            row(self.report_button, self.compare_button, self.divide),
        ]

    @property
    def settings(self) -> DenoiseSettings:
        """The chosen settings."""
        return self.preset.settings(
            seed=self.seed.value,
            device=self.device.value,
            mode=mode_of(self.scope.value),
            strength=self.strength.value,
        )

    def load(self, path: Path) -> None:
        """Choose the settings that a file holds.

        Raises
        ------
        OSError, TypeError, ValueError
            If the file holds no settings; nothing has changed then.
        """
        settings = self.preset.load(path)
        self.seed.value = settings.seed
        self.strength.value = settings.strength
        self.device.prefer(settings.device)
        if mode_of(self.scope.value) != settings.mode:
            self.scope.value = VOLUME if settings.mode == "volume" else STACK

    def _ask_and_load(self) -> None:
        message = ask_and_load(self.native, self.load)
        if message:
            self.say(message)

    def _ask_and_save(self) -> None:
        path = ask_for_name(self.native)
        if path is None:
            return
        try:
            self.say(f"The settings are in {save_settings(self.settings, path)}.")
        except OSError as error:
            self.say(f"The settings could not be saved: {error}")

    def allow(self, *, running: bool) -> None:
        """Enable the controls that make sense now: only Stop during a run."""
        for widget in (*self._choices, self.strength, self.load_button):
            widget.enabled = not running
        self._allow_preset()
        self.run_button.enabled = not running
        self.preview_button.enabled = not running
        self.stop_button.enabled = running
        if not running:
            self._show_time_left("")

    def _allow_preset(self) -> None:
        """Disable the preset for volumes: they have one method, the published one."""
        self.preset.enabled = self.scope.enabled and self.scope.value != VOLUME

    def allow_volume(self, problem: str) -> None:
        """Offer the volume as a scope unless there is a problem, shown as tooltip."""
        item = self.scope.native.model().item(SCOPES.index(VOLUME))
        item.setEnabled(not problem)
        item.setToolTip(problem)

    def show_layer_count(self, count: int) -> None:
        """Show on the Run button how many layers it starts, if there are several."""
        self.run_button.text = f"&Run on {count} layers" if count > 1 else "&Run"

    def clear_estimates(self) -> None:
        """Remove the noise and the expected time and memory until they are known."""
        show_text(self.noise_label, "-")
        show_text(self.needs_label, "-")

    def clear_progress(self) -> None:
        """Clear the plot and the rows of one image before the next one starts."""
        self.plot.clear()
        self._plotted = None
        self._fit_started = time.monotonic()
        for label in (self.residual_label, self.step_label):
            show_text(label, "-")

    def show_progress(self, step: DenoiseStep, share: float, time_left: str) -> None:
        """Show a step of a run.

        Parameters
        ----------
        step : DenoiseStep
            The last step of the image being denoised.
        share : float
            Finished fraction of all images of the run, 0 to 1.
        time_left : str
            Expected time until the end of the run; empty if unknown.
        """
        self.show_share(share, time_left)
        show_text(self.noise_label, messages.noise_message(step.problem))
        show_text(self.residual_label, messages.residual_message(step))
        show_text(self.step_label, messages.step_message(step))
        self._plot(step)

    def _plot(self, step: DenoiseStep) -> None:
        """Extend the curve of the current plane or tile, or start that of another."""
        at, ended = (step.plane.index, step.tile_number), step.fit is None
        if self._plotted not in (None, at) and not self.plot.ended:
            if ended:
                return  # the end of another fit that runs concurrently
            self.plot.clear()
        seconds = time.monotonic() - self._fit_started
        self.plot.add(seconds, messages.residual_ratio(step), ended=ended)
        self._plotted = None if step.learning else at

    def show_share(self, share: float, time_left: str) -> None:
        """Show the finished fraction of a run and the time left in the progress bar.

        A row of its own for the time would change its height and move all rows below.
        """
        self.progress.value = round(share * BAR_STEPS)
        self._show_time_left(time_left)

    def _show_time_left(self, time_left: str) -> None:
        self.progress.native.setFormat(f"%p%, {time_left}" if time_left else "%p%")

    def show_result(self, result: DenoiseResult | None, noisy: bool = False) -> None:
        """Enable the buttons of a result and list its planes.

        Parameters
        ----------
        result : DenoiseResult or None
            None disables all buttons and empties the table.
        noisy : bool
            Whether the noisy image is still there to compare with.
        """
        colours = result is not None and "S" in (result.report.files[0].axes or "")
        self.removed_button.enabled = noisy and not colours
        self.compare_button.enabled = noisy
        self.report_button.enabled = result is not None
        self.uncertainty_button.enabled = (
            result is not None and result.uncertainty is not None and not colours
        )
        # It is rarely there: a button that is always grey would only take room.
        self.structured_button.visible = (
            result is not None and "structured" in result.maps and not colours
        )
        self.table.show_planes(() if result is None else result.report.files[0].planes)

    def show_comparison(self, *, on: bool) -> None:
        """Show whether the noisy image and the result are being compared."""
        self.compare_button.value = on
        self.divide.enabled = on

    def say(self, text: str) -> None:
        """Show a message in the status row."""
        show_text(self.status_label, text)
