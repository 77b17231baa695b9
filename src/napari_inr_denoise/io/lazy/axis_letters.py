"""Axis letters of files in the letters of this package."""

from __future__ import annotations

_MAX_SAMPLES = 4
_KNOWN = "TCZYXS"


def standard_axes(axes: str, shape: tuple[int, ...]) -> tuple[str, tuple[str, ...]]:
    """Return axes with only the letters T, C, Z, Y, X and S.

    Axes of unknown meaning (I, Q, ...) become Z, T and C, in that order; sizes are not
    considered. S with more than four values becomes C.

    Parameters
    ----------
    axes : str
        Axes of the file, one letter per dimension.
    shape : tuple of int
        Shape of the image.

    Returns
    -------
    axes : str
        One letter per dimension.
    notes : tuple of str
        Sentences for the user about axes of unknown meaning.

    Raises
    ------
    ValueError
        If no letter is left for an axis.
    """
    letters = [
        "C" if a == "S" and n > _MAX_SAMPLES else a
        for a, n in zip(axes, shape, strict=True)
    ]
    notes: tuple[str, ...] = ()
    for position, letter in enumerate(letters):
        if letter not in _KNOWN:
            free = next((a for a in "ZTC" if a not in letters), None)
            if free is None:
                raise ValueError(f"got axes {axes}, wanted T, C, Z, Y, X and S")
            letters[position] = free
            notes += (
                f"The file does not say what its axis {position} is; it was taken "
                f"for {free}.",
            )
    return "".join(letters), notes
