"""Choices that are rarely changed: the networks, and the data type of the result."""

from __future__ import annotations

from dataclasses import replace

from magicgui.widgets import ComboBox

from napari_inr_denoise.core.settings import (
    ATTENTION,
    NEIGHBOURHOOD,
    SIREN,
    DenoiseSettings,
)
from napari_inr_denoise.plugin.elements.form import let_shrink

_METHODS = [
    ("As the quality", ""),
    ("Neighbourhood network", NEIGHBOURHOOD),
    ("Attention network", ATTENTION),
    ("Both, weighted", f"{NEIGHBOURHOOD}+{ATTENTION}"),
    ("All, weighted", f"{NEIGHBOURHOOD}+{ATTENTION}+{SIREN}"),
]
_TYPES = [("32-bit float", False), ("As the input", True)]


class MethodChoice(ComboBox):
    """The networks that denoise: those of the quality, or others.

    SIREN alone is the published method, which is the quality Paper.
    """

    def __init__(self) -> None:
        super().__init__(choices=_METHODS)
        let_shrink(self.native)

    def applied_to(self, settings: DenoiseSettings) -> DenoiseSettings:
        """Return settings with the chosen networks."""
        chosen = self.value
        return replace(settings, candidates=chosen) if chosen else settings


class OutputType(ComboBox):
    """The data type of a result; the value is whether it is that of the input."""

    tip = "32-bit float keeps fractions; the input's type rounds and clips them"

    def __init__(self) -> None:
        super().__init__(choices=_TYPES)
        let_shrink(self.native)
