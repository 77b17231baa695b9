"""The plugin's page in napari's Preferences: initial values of the widgets.

The manifest declares the page; napari 0.9 and later show it, check the input and return
it by `napari.settings.get_plugin_settings`. An older napari has no such page, and the
widgets start with the defaults of `DenoiseSettings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from napari_inr_denoise.core.settings import PRESETS, Choice, DenoiseSettings

PLUGIN = "napari-inr-denoise"
DEVICES = ("auto", "cpu", "cuda", "mps")
"""Devices on the page, which does not know those of the machine."""
MAXIMUM_SEED = 2**31 - 1
"""The largest value of a Qt spin box."""
_NAMES = ("preset", "device", "seed", "memory_gb")


def preferred_settings() -> DenoiseSettings:
    """Return settings with the preferred preset, device, seed and memory limit.

    The other fields have the defaults of `DenoiseSettings`, not of the preset. Invalid
    values are ignored: a file edited by hand must not keep a widget from opening.
    """
    preferred = DenoiseSettings(preset="auto")
    stored = _stored()
    for name in _NAMES:
        with suppress(KeyError, TypeError, ValueError):
            tried = replace(preferred, **{name: stored[name]})  # type: ignore[arg-type]
            preferred = tried if _offered(tried) else preferred
    return preferred


def _offered(settings: DenoiseSettings) -> bool:
    """Return whether the widgets offer these values."""
    return (
        settings.preset in PRESETS
        and settings.device in DEVICES
        and settings.seed <= MAXIMUM_SEED
    )


def _stored() -> Mapping[str, Choice]:
    """Return the values of the page; empty if there is no such page."""
    try:
        from napari.settings import get_plugin_settings
    except ImportError:  # napari before 0.9
        return {}
    try:
        page: Mapping[str, Choice] = get_plugin_settings(PLUGIN).defaults.model_dump()
    except (AttributeError, KeyError, TypeError, ValueError, OSError):
        # napari reads the pages of all plugins at once, and any may be broken.
        return {}
    return page
