"""Axis letters of files in the letters of this package."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from napari_inr_denoise.io.faults import UnsupportedError

MAX_SAMPLES = 4
"""Maximum samples of one colour: red, green, blue and alpha."""
_KNOWN = "TCZYXS"
_FREE = "ZTC"
_UNNAMED = "QI?"
_TAKEN = re.compile(r"\btaken for ((?:[TCZYX](?:, )?)+)(?![A-Za-z])")


def standard_axes(
    axes: str, names: Sequence[str] | None = None, shape: Sequence[int] | None = None
) -> tuple[str, tuple[str, ...]]:
    """Return axes with only the letters T, C, Z, Y, X and S.

    Axes of unknown meaning (I, Q, ...) become Z, T and C, in that order.

    Parameters
    ----------
    axes : str
        Axes of the file, one letter per dimension.
    names : sequence of str, optional
        Names of the axes in the file, if they are not the letters.
    shape : sequence of int, optional
        Their lengths: what an axis of length 1 is called does not matter, and is not
        said.

    Returns
    -------
    axes : str
        One letter per dimension.
    notes : tuple of str
        Sentences for the user about axes of unknown meaning.

    Raises
    ------
    UnsupportedError
        If no letter is left for an axis.
    """
    letters = list(axes)
    guessed = [k for k, letter in enumerate(letters) if letter not in _KNOWN]
    for position in guessed:
        free = next((a for a in _FREE if a not in letters), None)
        if free is None:
            raise UnsupportedError(
                f"got {len(axes)} axes, wanted at most T, C, Z, Y, X and S"
            )
        letters[position] = free
    called = axes if names is None else names
    notes = tuple(
        _guess_note("".join(letters), k, called[k])
        for k in guessed
        if shape is None or shape[k] > 1
    )
    return "".join(letters), notes


def _guess_note(letters: str, position: int, name: str) -> str:
    """Return what an axis was taken for, and how to name another one."""
    taken = letters[position]
    named = "" if not name or name in _UNNAMED else f" (its name is {name!r})"
    other = next((a for a in _FREE if a not in letters), None)
    way = "name all axes with --axes"
    if other is not None:
        way += f", such as --axes {letters.replace(taken, other)}"
    return (
        f"The file does not say what its axis {position} is; it was taken for {taken}"
        f"{named}. If it is something else, {way}."
    )


def guessed_axes(notes: Iterable[str]) -> str:
    """Return the letters of the axes that were guessed, from the notes that say so.

    Parameters
    ----------
    notes : iterable of str
        Notes of an image.
    """
    told = (_TAKEN.search(note) for note in notes)
    return "".join(found[1] for found in told if found).replace(", ", "")


def alpha_note(axes: str) -> str:
    """Return the sentence about an alpha sample.

    Parameters
    ----------
    axes : str
        Axes of the image, with S.
    """
    note = (
        "The file calls the last sample of each pixel alpha (transparency): it is not "
        "denoised and comes back as it was."
    )
    if "C" not in axes:
        note += (
            " If the samples are channels, name the axes: --axes "
            f"{axes.replace('S', 'C')}."
        )
    return note
