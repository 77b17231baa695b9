"""The choice of the quality: a preset or a settings file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_inr_denoise.batch.settings_file import read_settings
from napari_inr_denoise.core.settings import PRESETS, DenoiseSettings, preset_settings
from napari_inr_denoise.plugin.controls.preferences import preferred_settings
from napari_inr_denoise.plugin.elements.segments import Segments

PAPER = "paper"
"""The published method. It has networks of its own."""
_ORDER = ("fast", "auto", "best", PAPER)
_TIPS = {
    "fast": "A look in seconds",
    "auto": "The default: the best quality for its time",
    "best": "Minutes for the one image that counts",
    PAPER: "To compare with: the published method, SIREN stopped at the noise level",
}


class PresetChoice(Segments):
    """The presets, and the last settings file that was loaded."""

    def __init__(self) -> None:
        names = [name for name in _ORDER if name in PRESETS]
        names += [name for name in PRESETS if name not in names]
        super().__init__(
            [(name.capitalize(), name, _TIPS.get(name, "")) for name in names]
        )
        self._loaded: dict[str, DenoiseSettings] = {}
        self.value = preferred_settings().preset

    def load(self, path: Path) -> DenoiseSettings:
        """Choose the settings of a file and return them.

        Raises
        ------
        OSError, TypeError, ValueError
            As `read_settings`; the choice is then unchanged.
        """
        settings = read_settings(path, {})
        for name in self._loaded:
            if name != path.name:
                self.remove(name)
        self._loaded = {path.name: settings}
        self.add(path.name, path.name, f"The settings of {path}")
        self.value = path.name
        return settings

    def settings(self, name: str = "", **changes: Any) -> DenoiseSettings:  # noqa: ANN401 - of each field
        """Return the settings of a choice with some fields changed.

        Presets get the memory limit of napari's Preferences.

        Parameters
        ----------
        name : str
            A preset or a loaded file; empty for the chosen one.
        """
        name = name or self.value
        if name in self._loaded:
            return replace(self._loaded[name], **changes)
        memory_gb = preferred_settings().memory_gb
        return preset_settings(name, memory_gb=memory_gb, **changes)
