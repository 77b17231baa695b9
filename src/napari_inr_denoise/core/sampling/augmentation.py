"""Flips and turns of a plane, the dihedral group of the square, and the way back."""

from __future__ import annotations

from torch import Tensor

TURNS = 8
"""How many there are; 0 leaves a plane as it is."""


def turned(planes: Tensor, turn: int) -> Tensor:
    """Return planes flipped along Y, X or both, and then transposed.

    Parameters
    ----------
    planes : Tensor, shape (..., Y, X)
        One or more.
    turn : int
        The sum of 1: flipped along Y, 2: along X, 4: transposed.

    Returns
    -------
    Tensor, shape (..., Y, X) or (..., X, Y)
    """
    planes = planes.flip(-2) if turn & 1 else planes
    planes = planes.flip(-1) if turn & 2 else planes
    return planes.transpose(-2, -1) if turn & 4 else planes


def turned_back(planes: Tensor, turn: int) -> Tensor:
    """Undo `turned`."""
    planes = planes.transpose(-2, -1) if turn & 4 else planes
    planes = planes.flip(-1) if turn & 2 else planes
    return planes.flip(-2) if turn & 1 else planes
