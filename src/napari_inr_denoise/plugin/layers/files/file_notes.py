"""What the reader noted about the file of a layer, in sentences for the panel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_inr_denoise.io.lazy import guessed_axes
from napari_inr_denoise.plugin.layers.metadata_keys import NOTES_KEY

if TYPE_CHECKING:
    from napari.layers import Layer

_SENTENCES = re.compile(r"(?<=\.)\s+")
_OPTION = " --"


def file_notes(layer: Layer) -> tuple[str, ...]:
    """Return the notes on the file of a layer, but for those on axes of the layer.

    They are those of the command line. Sentences that name an option of the command
    line are left out.
    """
    notes = _notes(layer)
    told = (_without_options(one) for one in notes if not _is_on_axes(one, layer))
    return tuple(filter(None, told))


def axes_notes(layer: Layer) -> tuple[str, ...]:
    """Return the notes on guessed axes of a layer; as `file_notes` otherwise."""
    notes = _notes(layer)
    return tuple(_without_options(one) for one in notes if _is_on_axes(one, layer))


def _is_on_axes(note: str, layer: Layer) -> bool:
    """Return whether a note tells how a dimension of the layer was guessed."""
    labels = {str(label).upper() for label in layer.axis_labels}
    return bool(labels & set(guessed_axes([note])))


def _notes(layer: Layer) -> list[str]:
    found = layer.metadata.get(NOTES_KEY)
    # Another plugin may have a key of this name.
    listed = isinstance(found, Sequence) and not isinstance(found, str)
    return [one for one in found if isinstance(one, str)] if listed else []


def _without_options(note: str) -> str:
    told = _SENTENCES.split(note)
    return " ".join(one for one in told if _OPTION not in one)
