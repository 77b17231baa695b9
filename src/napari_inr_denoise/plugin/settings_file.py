"""The widget's settings as a file that the command line takes."""

from __future__ import annotations

import json
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.io.whole import written_whole

_ENDING = ".json"


def ask_for_name(parent: QWidget) -> Path | None:
    """Ask where to save settings; None if the user thinks better of it."""
    name, _ = QFileDialog.getSaveFileName(
        parent, "Save settings", f"settings{_ENDING}", f"Settings (*{_ENDING})"
    )
    return Path(name) if name else None


def save_settings(settings: DenoiseSettings, path: Path) -> Path:
    """Write settings, complete or not at all.

    Parameters
    ----------
    settings : DenoiseSettings
        All of them, so that a later version with other defaults does the same.
    path : Path
        Gets the ending .json if it has none.

    Returns
    -------
    Path
        Where they are.
    """
    path = path if path.suffix else path.with_suffix(_ENDING)
    with written_whole(path) as beside:
        beside.write_text(json.dumps(settings.to_dict(), indent=1) + "\n", "utf-8")
    return path
