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

NUMBER_KEY = "inr_denoise_channel_number"
"""Key of the number of the channel of a file that a layer shows, from 0."""
FILE_KEY = "inr_denoise_file"
"""Key of the file of a layer that napari itself did not open."""

GUESSED_KEY = "inr_denoise_guessed_axes"
"""Key of the letters of the axes that a file does not name, as they were guessed."""
CORRECTED_KEY = "inr_denoise_corrected_axes"
"""Key of whether the user has corrected the axes of a layer."""
OF_FILE_KEY = "inr_denoise_of_file"
"""Key of what a file states that a layer has no field for."""
NOTES_KEY = "notes"
"""Key of the sentences that the reader has for the user of a file."""


def file_of(layer: Layer) -> str | None:
    """Return the path of the file that a layer was read from; None if it was not."""
    path = layer.source.path or layer.metadata.get(FILE_KEY)
    return None if path is None else str(path)


def is_result(layer: Layer) -> bool:
    """Return whether a layer is a result or a diagnostic layer of one."""
    return bool({REPORT_KEY, SHOWS_KEY} & set(layer.metadata))
