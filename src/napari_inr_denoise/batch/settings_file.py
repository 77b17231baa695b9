"""Reading of settings saved as JSON, by the widget or by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings

_PRESET = "paper"
"""Preset of a file that names none."""


def read_settings(path: Path, changes: Mapping[str, Any]) -> DenoiseSettings:
    """Return the settings of a file.

    Parameters
    ----------
    path : Path
        JSON object as returned by `DenoiseSettings.to_dict`. Settings that it lacks
        are those of the preset that it names, or of "paper" if it names none.
    changes : mapping
        Values by name that replace those of the file.

    Raises
    ------
    ValueError
        If the file is not such an object, or a setting or the preset is unknown, or a
        value is out of bounds.
    TypeError
        If a value has the wrong type.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # neither JSON nor text
        raise ValueError(f"{path}: wanted settings as JSON, got {error}.") from error
    if not isinstance(values, dict):
        raise ValueError(
            f"{path}: got {type(values).__name__}, wanted an object with the settings "
            "by name, as DenoiseSettings.to_dict() has them."
        )
    given = {**values, **changes}
    settings = preset_settings(given.get("preset", _PRESET)).to_dict()
    for name, value in given.items():
        part = settings.get(name)
        if isinstance(part, dict) and isinstance(value, dict):
            settings[name] = {**part, **value}
        else:
            settings[name] = value
    return DenoiseSettings.from_dict(settings)
