"""The menu of the panel: settings, the same run as a command or script, help."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QApplication, QMenu, QPushButton

from napari_inr_denoise.plugin.controls.file_dialogs import (
    ask_and_load,
    ask_for_name,
    ask_to_save,
    save_settings,
)
from napari_inr_denoise.plugin.results.split_line import canvas_of
from napari_inr_denoise.plugin.sections.input_section import InputSection
from napari_inr_denoise.plugin.widgets.copied_run import SETTINGS_FILE, copied_run
from napari_inr_denoise.plugin.widgets.help_dialog import HelpDialog

_PICTURE_ENDINGS = (".jpg", ".jpeg", ".bmp")


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
        run = copied_run(self._inputs)
        file = f"Save the settings as {SETTINGS_FILE} for it." if run.needs_file else ""
        self._copy(run.command, "Command copied.", file, *run.left_out)

    def copy_script(self) -> None:
        """Copy a script that denoises the file of the layer in the same way."""
        run = copied_run(self._inputs)
        self._copy(run.script, "Script copied.", *run.left_out)

    def _copy(self, text: str, *told: str) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(text)
        self._say(" ".join(filter(None, told)))
