"""The scopes: parts of a layer to denoise, as the widget names them."""

from __future__ import annotations

SLICE = "current 2D slice"
STACK = "every plane of the stack"
VOLUME = "the volume as one (z, y, x)"
SCOPES = (SLICE, STACK, VOLUME)
VISIBLE = "what is visible of the slice"
"""Scope of a preview; not offered as a choice."""


def mode_of(scope: str) -> str:
    """Return the mode of the settings for a scope."""
    return "volume" if scope == VOLUME else "plane"
