"""The eight orientations of a plane (dihedral group of the square), with inverses."""

from __future__ import annotations

from torch import Tensor

N_ORIENTATIONS = 8
"""Number of orientations; 0 is the identity."""


def augment(planes: Tensor, orientation: int) -> Tensor:
    """Return planes in another orientation: flipped along Y and X, then transposed.

    Parameters
    ----------
    planes : Tensor, shape (..., Y, X)
        One or more planes.
    orientation : int
        Orientation, a sum of 1 (flip along Y), 2 (flip along X) and 4 (transpose).

    Returns
    -------
    Tensor, shape (..., Y, X) or (..., X, Y)
    """
    planes = planes.flip(-2) if orientation & 1 else planes
    planes = planes.flip(-1) if orientation & 2 else planes
    return planes.transpose(-2, -1) if orientation & 4 else planes


def undo_augmentation(planes: Tensor, orientation: int) -> Tensor:
    """Invert `augment`."""
    planes = planes.transpose(-2, -1) if orientation & 4 else planes
    planes = planes.flip(-1) if orientation & 2 else planes
    return planes.flip(-2) if orientation & 1 else planes
