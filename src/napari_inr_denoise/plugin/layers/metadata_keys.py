"""Metadata keys of the plugin's layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the reader and the writer load no layers
    from napari.layers import Layer

REPORT_KEY = "inr_denoise"
"""Key of the report in the metadata of a result layer."""
SHOWS_KEY = "inr_denoise_shows"
"""Key of the kind of a diagnostic layer, such as "residual", in its metadata."""
LIVE = "live"
"""Kind of a layer whose run is at work."""
CHANNEL_KEY = "inr_denoise_channel"
"""Key of the name that a file has for the channel of a layer."""


def is_result(layer: Layer) -> bool:
    """Return whether a layer is a result or a diagnostic layer of one."""
    return bool({REPORT_KEY, SHOWS_KEY} & set(layer.metadata))
