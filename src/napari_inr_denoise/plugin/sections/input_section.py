"""The choices before a run: image, axes, planes, quality and what is rarely changed."""

from __future__ import annotations

from pathlib import Path

import napari
from magicgui.widgets import SpinBox
from napari.layers import Image
from qtpy.QtWidgets import QCheckBox, QVBoxLayout, QWidget

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.controls.axes_row import AxesRow
from napari_inr_denoise.plugin.controls.device_choice import DeviceChoice
from napari_inr_denoise.plugin.controls.layer_choice import LayerChoice
from napari_inr_denoise.plugin.controls.noise_row import UNKNOWN, NoiseRow
from napari_inr_denoise.plugin.controls.preferences import (
    MAXIMUM_SEED,
    preferred_settings,
)
from napari_inr_denoise.plugin.controls.preset_choice import PAPER, PresetChoice
from napari_inr_denoise.plugin.controls.region_choice import RegionChoice
from napari_inr_denoise.plugin.controls.run_choices import MethodChoice, OutputType
from napari_inr_denoise.plugin.elements.form import Form, TextLabel, button, row
from napari_inr_denoise.plugin.elements.section import Foldable
from napari_inr_denoise.plugin.elements.segments import Segments
from napari_inr_denoise.plugin.elements.style import set_role
from napari_inr_denoise.plugin.layers.files.file_notes import file_notes
from napari_inr_denoise.plugin.layers.source.scope import (
    SLICE,
    STACK,
    VOLUME,
    mode_of,
)

_SCOPES = (
    ("This", SLICE, "The plane that is shown"),
    ("All", STACK, "Every plane, with those beside it along Z or time"),
    (
        "Volume",
        VOLUME,
        "The planes along Z as one volume: mostly less error, in twice the time",
    ),
)
_MOST_CONTEXT = 4


class InputSection:
    """The rows above the button: what is chosen, and what is measured in the image.

    It knows nothing of runs.

    Parameters
    ----------
    viewer : napari.Viewer
        With the layers.

    Attributes
    ----------
    native : QWidget
        The Qt side.
    """

    def __init__(self, viewer: napari.Viewer) -> None:
        self._stack = False
        self.layer = LayerChoice(viewer)
        self.notes_label = TextLabel()
        set_role(self.notes_label, "quiet")
        self.channels = QCheckBox()
        self.axes = AxesRow()
        self.scope = Segments(_SCOPES)
        self.preset = PresetChoice()
        self.region = RegionChoice(viewer)
        self.view_button = button("View", "Denoise only what the canvas shows now")
        self.draw_button = button("Draw", "Draw a rectangle around what to denoise")
        self.device = DeviceChoice()
        seed = preferred_settings().seed
        self.seed = SpinBox(value=seed, min=0, max=MAXIMUM_SEED, label="Seed")
        self.method, self.output_type = MethodChoice(), OutputType()
        self.context = SpinBox(
            value=DenoiseSettings().context, min=0, max=_MOST_CONTEXT
        )
        self.noise = NoiseRow()
        self.noise_label = self.noise.label
        self.cost_label = TextLabel(UNKNOWN, hides=False)
        self.form, self.advanced_form = Form(), Form()
        self._lay_out()
        self.scope.changed.connect(self._allow_preset)
        self.preset.changed.connect(self._allow_preset)

    def _lay_out(self) -> None:
        form, advanced = self.form, self.advanced_form
        form.add("Image", self.layer, "The noisy image; the result is a new layer")
        form.add_wide(self.notes_label)
        self.notes_label.setAccessibleName("Notes on the file")
        form.add_wide(self.channels)
        self.channels.setChecked(True)
        self.channels.setVisible(False)
        self.channels.setToolTip("Denoise all channels, and keep their colours")
        form.add("Axes", self.axes)
        form.add("Planes", self.scope, "Which planes of the image to denoise")
        form.add("Quality", self.preset, "More time gives a smaller error")
        region = row(self.region, self.view_button, self.draw_button)
        tip = "Denoise only the box around drawn shapes, or labelled pixels"
        advanced.add("Region", region, tip)
        self.region.native.setAccessibleName("Region")
        advanced.add("Device", self.device, "Where the networks are trained")
        tip = "Start of the random numbers: the same seed gives the same result"
        advanced.add("Seed", self.seed, tip)
        advanced.add("Method", self.method, "The networks that are trained")
        tip = "Planes on each side, along Z or time, that a plane is denoised with"
        advanced.add("Context", self.context, tip)
        advanced.add("Output", self.output_type, OutputType.tip)
        advanced.add("Estimate", self.cost_label, "Time and memory of a run")
        tip = "Region, device, seed, method, output type"
        self.advanced = Foldable("Advanced", advanced, tip)
        self.native = QWidget()
        layout = QVBoxLayout(self.native)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        for part in (form, self.advanced.native, self.noise):
            layout.addWidget(part)
        self.show_image(None, "", 0)

    def show_image(self, layer: Image | None, letters: str, plane_count: int) -> None:
        """Show the rows that mean something for an image.

        Parameters
        ----------
        layer : Image or None
            The chosen layer.
        letters : str
            A letter for each of its dimensions.
        plane_count : int
            Number of its planes.
        """
        stack = layer is not None and len(letters) > 2
        self.noise.setVisible(layer is not None)
        self.view_button.setEnabled(layer is not None)
        self.draw_button.setEnabled(layer is not None)
        notes = () if layer is None else file_notes(layer)
        self.notes_label.value = "\n".join(notes)
        self.form.show_row(self.axes, stack)
        self.form.show_row(self.scope, stack)
        if layer is not None and not stack and self.scope.value == VOLUME:
            self.scope.value = SLICE  # it could not be changed
        self._stack = stack
        self._allow_preset()
        if layer is not None and stack:
            self.axes.show_axes(layer, letters)
            self.scope.add(f"All {plane_count}", STACK, "")

    def show_channels(self, count: int) -> None:
        """Offer to denoise all channels of a composite, if there are several."""
        self.channels.setVisible(count > 1)
        these = "Both" if count == 2 else f"All {count}"
        self.channels.setText(f"{these} channels of the composite")

    @property
    def all_channels(self) -> bool:
        """Whether all channels of a composite are to be denoised."""
        return self.channels.isVisibleTo(self.native) and self.channels.isChecked()

    @property
    def settings(self) -> DenoiseSettings:
        """The chosen settings."""
        return self.settings_of(self.preset.value)

    def settings_of(self, name: str, scope: str = "") -> DenoiseSettings:
        """Return the settings with another quality, and perhaps scope, than chosen."""
        mode = mode_of(scope or self.scope.value)
        settings = self.preset.settings(
            name,
            seed=self.seed.value,
            device=self.device.value,
            context=self.context.value,
            mode=mode,
        )
        return settings if name == PAPER else self.method.applied_to(settings)

    def load(self, path: Path) -> None:
        """Choose the settings that a file holds.

        Raises
        ------
        OSError, TypeError, ValueError
            If the file holds no settings; nothing has changed then.
        """
        settings = self.preset.load(path)
        self.seed.value = settings.seed
        self.device.prefer(settings.device)
        self.method.value = ""
        self.context.value = settings.context
        if mode_of(self.scope.value) != settings.mode:
            self.scope.value = VOLUME if settings.mode == "volume" else STACK

    def _allow_preset(self, _: object = None) -> None:
        """Hide what the quality Paper, the published method, does not have."""
        published = self.preset.value == PAPER
        self.advanced_form.show_row(self.method, not published)
        planes = self.scope.value == STACK
        planes |= self.scope.value == VOLUME and not published
        self.advanced_form.show_row(self.context, self._stack and planes)

    def allow_volume(self, problem: str) -> None:
        """Offer the volume unless there is a problem, shown as tooltip."""
        self.scope.allow(VOLUME, problem)

    def show_cost(self, text: str) -> None:
        """Show time and memory of the chosen run; empty if they are not known."""
        self.cost_label.value = text or UNKNOWN

    def clear_estimates(self) -> None:
        """Remove noise, time and memory until they are known."""
        self.noise.show_plane(None)
        self.show_cost("")
        for name in self.preset.choices:
            self.preset.annotate(name, "")
