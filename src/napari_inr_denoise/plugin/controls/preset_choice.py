"""The choice of settings: a preset or a settings file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox

from napari_inr_denoise.batch.settings_file import read_settings
from napari_inr_denoise.core.settings import PRESETS, DenoiseSettings, preset_settings
from napari_inr_denoise.plugin.controls.preferences import preferred_settings


class PresetChoice(ComboBox):
    """A list of the presets and of the last settings file that was loaded."""

    def __init__(self) -> None:
        self._loaded: dict[str, DenoiseSettings] = {}
        # A function, because magicgui asks again whenever the layers change.
        super().__init__(choices=lambda _: [*PRESETS, *self._loaded], label="preset")
        self.value = preferred_settings().preset

    def load(self, path: Path) -> DenoiseSettings:
        """Choose the settings of a file and return them.

        Raises
        ------
        OSError, TypeError, ValueError
            As `read_settings`; the choice is then unchanged.
        """
        settings = read_settings(path, {})
        self._loaded = {path.name: settings}
        self.reset_choices()
        self.value = path.name
        return settings

    def settings(self, **changes: Any) -> DenoiseSettings:  # noqa: ANN401 - of each field
        """Return the chosen settings with some fields changed.

        Presets get the memory limit of napari's Preferences.
        """
        if self.value in self._loaded:
            return replace(self._loaded[self.value], **changes)
        memory_gb = preferred_settings().memory_gb
        return preset_settings(self.value, memory_gb=memory_gb, **changes)
