"""The choice of settings: a preset, or a file of settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from magicgui.widgets import ComboBox

from napari_inr_denoise.batch.settings_file import read_settings
from napari_inr_denoise.core.settings import PRESETS, DenoiseSettings, preset_settings
from napari_inr_denoise.plugin.controls.preferences import preferred_settings


class PresetChoice(ComboBox):
    """The presets, and beside them the last file that was loaded, by its name."""

    def __init__(self) -> None:
        self._loaded: dict[str, DenoiseSettings] = {}
        # Given as a function: magicgui asks again whenever the layers change.
        super().__init__(choices=lambda _: [*PRESETS, *self._loaded], label="preset")
        self.value = preferred_settings().preset

    def load(self, path: Path) -> DenoiseSettings:
        """Choose the settings of a file.

        Raises
        ------
        OSError, TypeError, ValueError
            As `read_settings`; the choice is then as before.
        """
        settings = read_settings(path, {})
        self._loaded = {path.name: settings}
        self.reset_choices()
        self.value = path.name
        return settings

    def settings(self, **changes: Any) -> DenoiseSettings:  # noqa: ANN401 - of each field
        """Return what is chosen, with some fields changed.

        Of a preset, the limit of memory is the preferred one.
        """
        if self.value in self._loaded:
            return replace(self._loaded[self.value], **changes)
        memory_gb = preferred_settings().memory_gb
        return preset_settings(self.value, memory_gb=memory_gb, **changes)
