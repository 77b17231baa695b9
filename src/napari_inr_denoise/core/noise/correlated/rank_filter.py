"""Planes that a rank filter has changed: median, "despeckle", minimum, opening.

Such a filter gives a pixel one of the values around it. Neighbours often get the same
one, more often than values that differ by little. No other filter does that, nor does
texture.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LEAST = 0.06
"""Least share of pairs that are equal, beyond those expected. Medians of 5 to 25 pixels
have 0.1 to 0.2, minima and openings 0.4; frames of microscopes 0.01 at most."""
_FAR = 5
"""Distance, in pixels, of pairs that a filter of 5x5 pixels does not make equal."""
_STEEPEST = 2.5
"""Largest ratio of pairs one grey level apart to pairs two levels apart. Beyond it the
noise is about a grey level, and equal pairs say nothing."""
_HEAP = 2
"""Number of pixels of a value, over that of the next frequent one, of one at which
others are cut off."""
_MOST_PIXELS = 2**18
"""Number of pixels from which some of the rows are enough."""


def rank_filtered(plane_yx: NDArray[np.floating], valid_yx: NDArray[np.bool_]) -> bool:
    """Return whether neighbours along rows are equal more often than noise makes them.

    Parameters
    ----------
    plane_yx : ndarray, shape (Y, X)
        Intensities. The lowest and the highest value, and one that is far more frequent
        than all others, are left out: there values may be cut off.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels to use.
    """
    rows = slice(None, None, plane_yx.size // _MOST_PIXELS + 1)
    plane_yx, valid_yx = plane_yx[rows], valid_yx[rows]
    values, counts = np.unique(plane_yx[valid_yx], return_counts=True)
    if len(values) == 0:
        return False
    heaps = values[counts > _HEAP * np.sort(counts)[-2:][0]]
    used = valid_yx & ~np.isin(plane_yx, [values[0], values[-1], *heaps])
    near, far = (_differences(plane_yx, used, lag) for lag in (1, _FAR))
    different = near[near > 0]
    if len(different) == 0 or len(far) == 0:
        return False
    levels = np.rint(np.minimum(near / different.min(), 3.0))
    equal, one, two = (np.count_nonzero(levels == k) for k in range(3))
    least = _LEAST * len(near)
    if one > max(_STEEPEST * two, least):
        return False
    # Differences of noise have the shape of a Gaussian; two signs have the same level.
    expected = (one / 2) ** (4 / 3) / max(two / 2, 1.0) ** (1 / 3)
    # Where the noise grows with the intensity, those of dark places add to it.
    expected = max(expected, np.count_nonzero(far == 0) / len(far) * len(near))
    return bool(equal - expected > least)


def _differences(
    plane_yx: NDArray[np.floating], used_yx: NDArray[np.bool_], lag: int
) -> NDArray[np.float64]:
    """Return how much pixels that are some columns apart differ, if both are used."""
    pairs = used_yx[:, lag:] & used_yx[:, :-lag]
    return np.abs(plane_yx[:, lag:] - plane_yx[:, :-lag])[pairs]
