"""Noise at the highest frequencies, where light has next to nothing.

A microscope blurs what it shows: the power of structure falls steeply towards the
highest frequencies along both axes. What is left there is noise. White noise is level
there, however steeply the power falls before: texture with white noise falls, and then
is level. Noise that was blurred, interpolated or demosaicked falls to the end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

_SIDE, _MOST_TILES, _FEWEST_TILES = 32, 1500, 9
"""Side of the tiles in pixels, and their largest and smallest number."""
_SHAPE = 14.0
"""Shape of the Kaiser window: 1e-10 of the power of low frequencies leaks."""
_MIDDLE, _HIGH, _HIGHEST = (0.34, 0.56), (0.62, 0.8), (0.8, 1.01)
"""Bands of frequencies along one axis, as shares of the highest one."""
_LEAST_FALL = 0.5
"""Smallest fall, as a logarithm, that the last one is divided by. The power of turned
noise falls by 1.3."""
_LEVEL = ((0.3, 0.6, 0.35), (math.inf, 0.74, 0.29))
"""Rows of a ratio of this noise to a level of correlated noise, and, up to this ratio,
the least `level` and the largest `last_share` of white noise.

Interpolated noise keeps 0.4 or more of its level, where it was turned or shifted by
little. Measured on 220 planes of 64 to 256 pixels that were turned, shifted, blurred,
enlarged, demosaicked or averaged: none is white by these limits.
"""
_EVEN = 0.5
"""Least ratio of the powers in parts of the two highest bands, where noise is white. A
mean of three pixels has 0.1 to 0.2 there: its power is zero between the bands."""
_ROUNDED = 0.5
"""Smallest noise, over the difference of two grey levels. Rounding adds white noise of
0.29, also to noise that was blurred before."""
_SAMPLED = 65_536
"""Pixels among which this difference is looked for."""


@dataclass(frozen=True)
class HighestFrequencies:
    """Power of a plane at its highest frequencies.

    Attributes
    ----------
    sigma : float
        Standard deviation of white noise of this power, in the image's units. Structure
        that is as fine only adds to it.
    level : float
        Power at the highest frequencies along both axes over that where one of them is
        lower; the smaller of both ratios. 1 for white noise.
    even : float
        Smallest over largest power of the six parts of these frequencies, in both
        diagonal directions. 1 for white noise.
    last_share : float
        Fall of the power from high to highest frequencies over that from middle ones,
        as logarithms. 0 for white noise under texture, 0.4 and more for blurred noise.
    """

    sigma: float
    level: float
    even: float
    last_share: float

    @property
    def is_level(self) -> bool:
        """Whether the power is that of white noise."""
        return self.level > _LEVEL[-1][1] and self.even > _EVEN

    def is_white(self, sigma: float) -> bool:
        """Return whether noise that looks correlated is white.

        The correlation is then that of texture.

        Parameters
        ----------
        sigma : float
            Level of the correlated noise, in the image's units.
        """
        for ratio, least, most in _LEVEL:
            if self.sigma < ratio * sigma:
                level = self.level > least and self.even > _EVEN
                return level and self.last_share < most
        return False


def measure_highest(
    plane_yx: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> HighestFrequencies | None:
    """Measure the power of a plane at its highest frequencies.

    Parameters
    ----------
    plane_yx : ndarray, shape (Y, X)
        Intensities.
    valid_yx : ndarray of bool, shape (Y, X)
        Tiles with an invalid pixel are left out.

    Returns
    -------
    HighestFrequencies or None
        None if there are too few tiles, or if rounding to grey levels hides the noise.
    """
    if min(plane_yx.shape) < _SIDE:
        return None
    stride = max(_SIDE // 4, math.ceil(math.sqrt(plane_yx.size / _MOST_TILES)))
    grid = (slice(None, None, stride),) * 2
    whole = sliding_window_view(valid_yx, (_SIDE,) * 2)[grid].all(axis=(-1, -2))
    tiles = sliding_window_view(plane_yx, (_SIDE,) * 2)[grid][whole]
    varies = tiles.max(axis=(-1, -2)) > tiles.min(axis=(-1, -2))
    tiles = tiles[varies].astype(np.float64)
    if len(tiles) < _FEWEST_TILES:
        return None
    window = np.outer(*[np.kaiser(_SIDE, _SHAPE)] * 2)
    tiles -= tiles.mean(axis=(-1, -2), keepdims=True)
    power = np.abs(np.fft.rfft2(tiles * (window / np.linalg.norm(window)))) ** 2
    middle, high, highest = (
        _both(power, band, band) for band in (_MIDDLE, _HIGH, _HIGHEST)
    )
    if not min(middle.min(), high.min(), highest.min()) > 0:
        return None
    sigma = math.sqrt(float(highest.mean()))
    if sigma < _ROUNDED * _smallest_difference(plane_yx[valid_yx]):
        return None
    sides = (_HIGH, _HIGHEST), (_HIGHEST, _HIGH)
    ratios = [_typical(highest / _both(power, *one)) for one in sides]
    parts = [
        _typical(_band(power, *bands, sign) / highest)
        for bands in (*sides, (_HIGHEST, _HIGHEST))
        for sign in (1, -1)
    ]
    first, last = _typical(middle / high), _typical(high / highest)
    falls = max(math.log(first) + math.log(last), _LEAST_FALL)
    share = math.log(last) / falls
    return HighestFrequencies(sigma, min(ratios), min(parts) / max(parts), share)


def _both(
    power: NDArray[np.float64], down: tuple[float, float], across: tuple[float, float]
) -> NDArray[np.float64]:
    """Return the mean power of each tile within two bands, in both directions."""
    parts = [_band(power, down, across, sign) for sign in (1, -1)]
    return np.asarray((parts[0] + parts[1]) / 2)


def _band(
    power: NDArray[np.float64],
    down: tuple[float, float],
    across: tuple[float, float],
    sign: int,
) -> NDArray[np.float64]:
    """Return the mean power of each tile within two bands, in a diagonal direction."""
    rows = np.fft.fftfreq(_SIDE) * 2 * sign
    columns = np.fft.rfftfreq(_SIDE) * 2
    chosen = [
        np.flatnonzero((least <= shares) & (shares < most))
        for shares, (least, most) in ((rows, down), (columns, across))
    ]
    return np.asarray(power[:, chosen[0]][:, :, chosen[1]].mean(axis=(-1, -2)))


def _typical(ratios: NDArray[np.float64]) -> float:
    """Return the median, which a few bright tiles do not change."""
    return float(np.median(ratios))


def _smallest_difference(values: NDArray[np.floating]) -> float:
    """Return the smallest difference of two values of a plane."""
    different = np.unique(values[:: len(values) // _SAMPLED + 1])
    return float(np.diff(different).min()) if len(different) > 1 else 0.0
