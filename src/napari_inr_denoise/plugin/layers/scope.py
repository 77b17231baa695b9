"""What of a layer is denoised, as it is said in the widget."""

from __future__ import annotations

SLICE = "current 2D slice"
STACK = "every plane of the stack"
VOLUME = "the volume as one (z, y, x)"
SCOPES = (SLICE, STACK, VOLUME)
VISIBLE = "what is visible of the slice"
"""For a preview only."""


def mode_of(scope: str) -> str:
    """Return the mode of the settings that goes with a scope."""
    return "volume" if scope == VOLUME else "plane"
