"""The presets, and settings made from one of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from napari_inr_denoise.core.settings.candidate_names import ATTENTION, NEIGHBOURHOOD
from napari_inr_denoise.core.settings.denoise_settings import DenoiseSettings
from napari_inr_denoise.core.settings.networks import (
    AttentionSettings,
    NeighbourhoodSettings,
)

PRESETS: dict[str, DenoiseSettings] = {
    "auto": DenoiseSettings(
        preset="auto",
        candidates=NEIGHBOURHOOD,
        ridge_rounds=2,
    ),
    "fast": DenoiseSettings(
        preset="fast",
        candidates=NEIGHBOURHOOD,
        n_augmentations=1,
        neighbourhood=NeighbourhoodSettings(radius=5, width=96, depth=2, steps=200),
    ),
    "best": DenoiseSettings(
        preset="best",
        candidates=f"{NEIGHBOURHOOD}+{ATTENTION}",
        ridge_rounds=2,
        patience=4.0,
        neighbourhood=NeighbourhoodSettings(steps=800),
        attention=AttentionSettings(steps=600),
    ),
    "paper": DenoiseSettings(preset="paper"),
}
"""The presets by name.

`paper` is the published method. `auto`, the default, is a network that sees a pixel's
surroundings, and `fast` a smaller one, for a look. `best` trains it for longer, beside
one that sees farther, weighed by held-out pixels: about 0.05 dB for three times the
time.
"""


def preset_settings(
    preset: str,
    **changes: Any,  # noqa: ANN401 - checked
) -> DenoiseSettings:
    """Return a preset's settings with some of them changed; see `DenoiseSettings`.

    Raises
    ------
    ValueError
        If there is no such preset or a value is out of its bounds.
    TypeError
        If a value is of the wrong type.
    """
    if not isinstance(preset, str) or preset not in PRESETS:
        raise ValueError(f"preset: got {preset!r}, wanted one of {', '.join(PRESETS)}.")
    return replace(PRESETS[preset], **changes)
