"""Reading of settings saved as JSON, by the widget or by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_inr_denoise.core.settings import DenoiseSettings


def read_settings(path: Path, changes: Mapping[str, Any]) -> DenoiseSettings:
    """Return the settings of a file.

    Parameters
    ----------
    path : Path
        JSON object as returned by `DenoiseSettings.to_dict`. Settings that it lacks
        have their defaults.
    changes : mapping
        Values by name that replace those of the file.

    Raises
    ------
    ValueError
        If the file is not such an object, or a setting is unknown or out of bounds.
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
    return DenoiseSettings.from_dict({**values, **changes})
