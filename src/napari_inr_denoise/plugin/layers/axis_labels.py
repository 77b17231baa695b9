"""Axis letters of a layer: Y and X for the plane, Z, T or C for other dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_inr_denoise.plugin.layers.metadata_keys import (
    CORRECTED_KEY,
    GUESSED_KEY,
    file_of,
)

if TYPE_CHECKING:  # the reader and the writer load no layers
    from napari.layers import Layer

OUTER_LETTERS = "ZTC"


def axis_letters(labels: Sequence[str], plane: tuple[int, int], name: str) -> str:
    """Return a letter for each dimension of a layer.

    Parameters
    ----------
    labels : sequence of str
        The layer's axis labels. Outside the plane "z", "t" and "c" are used; dimensions
        with another label become Z, then T, then C, starting with the innermost.
    plane : (int, int)
        The dimensions that are Y and X.
    name : str
        Name of the layer, for the error message.

    Raises
    ------
    ValueError
        If there are more than five dimensions.
    """
    letters = dict(zip(plane, "YX", strict=True))
    outer = [axis for axis in range(len(labels)) if axis not in plane]
    for axis in outer:
        label = labels[axis].upper()
        if label in {*OUTER_LETTERS} - {*letters.values()}:
            letters[axis] = label
    for axis in reversed(outer):
        if axis not in letters:
            free = [k for k in OUTER_LETTERS if k not in letters.values()]
            if not free:
                raise ValueError(
                    f"layer {name!r}: got {len(labels)} dimensions, wanted at "
                    "most 5. Split the layer first."
                )
            letters[axis] = free[0]
    return "".join(letters[axis] for axis in range(len(labels)))


def axes_origin(layer: Layer) -> str:
    """Return where the axes of a layer come from: "from file", "from layer", "guessed".

    A layer tells them by labels such as "z"; napari's own labels are numbers. The
    reader has labels for all, and notes those that it guessed. What the user has
    corrected is not what the file says.
    """
    labels = [str(label).upper() for label in layer.axis_labels]
    named = [label for label in labels if label in {*OUTER_LETTERS, "Y", "X"}]
    guessed = set(layer.metadata.get(GUESSED_KEY, ""))
    if len(set(named)) < len(labels) or guessed & set(labels):
        return "guessed"
    corrected = CORRECTED_KEY in layer.metadata
    return "from layer" if corrected or file_of(layer) is None else "from file"
