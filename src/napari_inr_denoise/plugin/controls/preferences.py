"""The plugin's page in napari's Preferences: what the widgets start with.

The manifest declares the page; napari 0.9 and later show it, check what is entered, and
hand it out through `napari.settings.get_plugin_settings`. An older napari has no such
page, and the widgets start with the values of `DenoiseSettings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from napari_inr_denoise.core.settings import PRESETS, Choice, DenoiseSettings

PLUGIN = "napari-inr-denoise"
DEVICES = ("auto", "cpu", "cuda", "mps")
"""Which the page offers: it is made before it is known which there are."""
MAXIMUM_SEED = 2**31 - 1
"""What a spin box of Qt's can hold."""
_NAMES = ("preset", "device", "seed", "memory_gb")


def preferred_settings() -> DenoiseSettings:
    """Return the preferred preset, device, seed and limit of memory.

    The other fields are those of `DenoiseSettings`, not of the preset. What cannot be
    used is passed over: a file edited by hand must not keep a widget from opening.
    """
    preferred = DenoiseSettings(preset="auto")
    stored = _stored()
    for name in _NAMES:
        with suppress(KeyError, TypeError, ValueError):
            tried = replace(preferred, **{name: stored[name]})  # type: ignore[arg-type]
            preferred = tried if _offered(tried) else preferred
    return preferred


def _offered(settings: DenoiseSettings) -> bool:
    """Whether the widgets have what is to be chosen."""
    return (
        settings.preset in PRESETS
        and settings.device in DEVICES
        and settings.seed <= MAXIMUM_SEED
    )


def _stored() -> Mapping[str, Choice]:
    """Return what the page holds; nothing where there is no such page."""
    try:
        from napari.settings import get_plugin_settings
    except ImportError:  # napari before 0.9
        return {}
    try:
        page: Mapping[str, Choice] = get_plugin_settings(PLUGIN).defaults.model_dump()
    except (AttributeError, KeyError, TypeError, ValueError, OSError):
        # Read together with the pages of all plugins: one of them may be broken.
        return {}
    return page
