"""Where a result layer keeps how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the reader and the writer come without it
    from napari.layers import Layer

REPORT_KEY = "inr_denoise"
"""In the layer's metadata."""
SHOWS_KEY = "inr_denoise_shows"
"""In the metadata of a layer that tells something of a result: what it shows."""


def is_result(layer: Layer) -> bool:
    """Return whether a layer is a result, or tells something of one."""
    return bool({REPORT_KEY, SHOWS_KEY} & set(layer.metadata))
