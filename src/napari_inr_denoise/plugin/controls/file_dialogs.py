"""Dialogs that load and save settings files and reports."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.io.atomic import atomic_write

_ENDING = ".json"
_FILTER = f"Settings (*{_ENDING})"


def ask_for_name(parent: QWidget) -> Path | None:
    """Ask where to save settings; return None if the user cancels."""
    name, _ = QFileDialog.getSaveFileName(
        parent, "Save settings", f"settings{_ENDING}", _FILTER
    )
    return Path(name) if name else None


def ask_for_report(parent: QWidget, name: str) -> Path | None:
    """Ask where to save the report of a layer; return None if the user cancels."""
    chosen, _ = QFileDialog.getSaveFileName(
        parent, "Save the report", f"{name}.html", "Report (*.html *.csv *.json)"
    )
    return Path(chosen) if chosen else None


def ask_and_load(parent: QWidget, load: Callable[[Path], None]) -> str:
    """Ask for a settings file and load it.

    Parameters
    ----------
    parent : QWidget
        Parent of the dialog.
    load : callable
        Takes the path; raises as `batch.settings_file.read_settings` does.

    Returns
    -------
    str
        A message for the user; empty if the user cancels.
    """
    name, _ = QFileDialog.getOpenFileName(parent, "Load settings", "", _FILTER)
    if not name:
        return ""
    try:
        load(Path(name))
    except (OSError, TypeError, ValueError) as error:
        return f"The settings could not be loaded: {error}"
    return f"The settings are those of {name}."


def save_settings(settings: DenoiseSettings, path: Path) -> Path:
    """Write settings to a JSON file; a failure leaves no partial file.

    Parameters
    ----------
    settings : DenoiseSettings
        All fields are written, so that a version with other defaults does the same.
    path : Path
        The ending .json is appended if it has none.

    Returns
    -------
    Path
        The path that was written.
    """
    path = path if path.suffix else path.with_suffix(_ENDING)
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(settings.to_dict(), indent=1) + "\n", "utf-8")
    return path
