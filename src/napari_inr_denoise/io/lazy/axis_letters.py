"""A letter of ours for each axis of a file."""

from __future__ import annotations

_MAX_SAMPLES = 4
_MEANINGFUL = "TCZYXS"


def standard_axes(axes: str, shape: tuple[int, ...]) -> tuple[str, tuple[str, ...]]:
    """Give each axis that the file leaves open (I, Q, ...) a letter of ours.

    The letters Z, T and C are handed out in that order, never by size, and the user
    is told.
    """
    letters = [
        "C" if a == "S" and n > _MAX_SAMPLES else a
        for a, n in zip(axes, shape, strict=True)
    ]
    notes: tuple[str, ...] = ()
    for position, letter in enumerate(letters):
        if letter not in _MEANINGFUL:
            free = next((a for a in "ZTC" if a not in letters), None)
            if free is None:
                raise ValueError(f"axes {axes} with more than T, C, Z, Y, X and S")
            letters[position] = free
            notes += (
                f"The file does not say what its axis {position} is; it was taken "
                f"for {free}.",
            )
    return "".join(letters), notes
