"""The menu of the panel: settings, the same run as a command or script, help."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QApplication, QMenu, QPushButton

from napari_inr_denoise.core.settings import PRESETS, DenoiseSettings
from napari_inr_denoise.plugin.controls.file_dialogs import (
    ask_and_load,
    ask_for_name,
    ask_to_save,
    save_settings,
)
from napari_inr_denoise.plugin.layers.metadata_keys import file_of
from napari_inr_denoise.plugin.results.split_line import canvas_of
from napari_inr_denoise.plugin.sections.input_section import InputSection
from napari_inr_denoise.plugin.widgets.help_dialog import HelpDialog

_SETTINGS_FILE = "settings.json"
_PICTURE_ENDINGS = (".jpg", ".jpeg", ".bmp")
_OPTIONS = ("seed", "device", "mode", "memory_gb")
"""Settings that the command has options for."""
_SCRIPT = """\
from napari_inr_denoise import DenoiseSettings, denoise, read_image

image = read_image({path!r})
settings = DenoiseSettings.from_dict({settings!r})
result = denoise(image.data, axes=image.axes, settings=settings)
"""


class PanelMenu:
    """Fills the menu of a button.

    Parameters
    ----------
    menu_button : QPushButton
        Opens the menu.
    inputs : InputSection
        With the choices.
    say : callable
        Takes a message for the user.

    Attributes
    ----------
    help : HelpDialog or None
        The help; None before it was asked for.
    """

    def __init__(
        self,
        menu_button: QPushButton,
        inputs: InputSection,
        say: Callable[[str], None],
    ) -> None:
        self._inputs, self._say = inputs, say
        self._button = menu_button
        self.help: HelpDialog | None = None
        self.menu = QMenu(menu_button)
        self.menu.addAction("Load settings...", self.ask_and_load)
        self.menu.addAction("Save settings...", self.ask_and_save)
        self.menu.addSeparator()
        self.menu.addAction("Copy as command", self.copy_command)
        self.menu.addAction("Copy as Python script", self.copy_script)
        self.menu.addSeparator()
        self.menu.addAction("Save picture of the canvas...", self.ask_and_save_picture)
        self.menu.addSeparator()
        self.menu.addAction("Help", self.show_help)
        menu_button.clicked.connect(self._open)

    def _open(self) -> None:
        self.menu.popup(self._button.mapToGlobal(self._button.rect().bottomLeft()))

    def show_help(self) -> None:
        """Show the help in a window of its own, which stays until it is closed."""
        if self.help is None:
            self.help = HelpDialog(self._button)
        self.help.show()
        self.help.raise_()

    def ask_and_load(self) -> None:
        """Ask for a settings file and choose its settings."""
        message = ask_and_load(self._inputs.native, self._inputs.load)
        if message:
            self._say(message)

    def ask_and_save(self) -> None:
        """Ask for a file and write the chosen settings."""
        path = ask_for_name(self._inputs.native)
        if path is None:
            return
        try:
            save_settings(self._inputs.settings, path)
        except OSError as error:
            self._say(f"The settings could not be saved: {error}")
        else:
            self._say(f"Saved {path}.")

    def ask_and_save_picture(self) -> None:
        """Ask for a file and save the canvas, with the line of a split view."""
        canvas = canvas_of(self._inputs.native)
        answer = ask_to_save(
            self._inputs.native,
            "Save picture",
            "noisy and denoised",
            {"PNG (*.png)": ".png"},
            _PICTURE_ENDINGS,
        )
        if answer is None or canvas is None:
            return
        path, _ = answer
        if canvas.grab().save(str(path)):
            self._say(f"Saved {path}.")
        else:
            self._say(f"The picture could not be saved: {path}")

    def copy_command(self) -> None:
        """Copy the command that denoises the file of the layer in the same way."""
        settings = self._inputs.settings
        self._copy(command_of(self._path, settings), "Command")
        if needs_file(settings):
            self._say(f"Command copied. Save the settings as {_SETTINGS_FILE} for it.")

    def copy_script(self) -> None:
        """Copy a script that denoises the file of the layer in the same way."""
        script = _SCRIPT.format(
            path=self._path, settings=self._inputs.settings.to_dict()
        )
        self._copy(script, "Script")

    @property
    def _path(self) -> str:
        layer: Any = self._inputs.layer.chosen
        path = None if layer is None else file_of(layer)
        return path or "IMAGE.tif"

    def _copy(self, text: str, what: str) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(text)
        self._say(f"{what} copied.")


def command_of(path: str, settings: DenoiseSettings) -> str:
    """Return the command that denoises a file with settings."""
    out = f"{Path(path).stem}-denoised"
    parts = [f"inr-denoise run {_quoted(path)} --out {_quoted(out)}"]
    if needs_file(settings):
        return f"{parts[0]} --settings {_SETTINGS_FILE}"
    parts.append(f"--preset {settings.preset} --seed {settings.seed}")
    if settings.device != "auto":
        parts.append(f"--device {settings.device}")
    if settings.mode != "plane":
        parts.append(f"--mode {settings.mode}")
    if settings.memory_gb != PRESETS[settings.preset].memory_gb:
        parts.append(f"--memory {settings.memory_gb:g}")
    return " ".join(parts)


def needs_file(settings: DenoiseSettings) -> bool:
    """Return whether settings differ from a preset in what no option can say."""
    if settings.preset not in PRESETS:
        return True
    told = {name: getattr(settings, name) for name in _OPTIONS}
    return replace(PRESETS[settings.preset], **told) != settings


def _quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path
