"""Patches of a plane, and the noise of those of one intensity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import dctn
from scipy.ndimage import uniform_filter

_SURROUNDINGS = 14
"""Side, in pixels, of the window around a patch whose mean decides the bin."""
_MAX_PATCHES = 300_000
_ROWS_AT_ONCE = 256
"""Rows per matrix product, few enough that BLAS does not start threads."""
_PER_FREQUENCY = (2, 10)
"""Patches per frequency: minimum of a group, and minimum for the eigenvalues."""
_ONE_TEXTURE_BELOW = 0.8
"""Ratio of smallest eigenvalues to smallest frequency variances; see `PatchBin`."""
_LARGEST_KURTOSIS = 10.0
_HIGHEST = 1e8
"""Largest value, in units of the plane's spread; keeps its fourth power finite."""


@dataclass(frozen=True)
class PatchPlaces:
    """Where patches of a plane are.

    Attributes
    ----------
    windows : ndarray of float32, shape (rows, columns, side, side)
        All patches, a view of the plane, with values in multiples of `unit` from
        `centre`: float32 has digits enough for these, in half the time of float64.
    centre, unit : float
        In the image's units.
    rows, columns : ndarray of int, shape (N,)
        Those that are used.
    surroundings : ndarray of float64, shape (N,)
        Mean intensity around each.
    """

    windows: NDArray[np.float32]
    centre: float
    unit: float
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    surroundings: NDArray[np.float64]

    @classmethod
    def of(
        cls, filled: NDArray[np.floating], valid_yx: NDArray[np.bool_], side: int
    ) -> PatchPlaces:
        """Return evenly spread patches without an invalid pixel.

        Parameters
        ----------
        filled : ndarray, shape (Y, X)
            Intensities, finite everywhere.
        valid_yx : ndarray of bool, shape (Y, X)
            Pixels to use.
        side : int
            Side of a patch, in pixels.
        """
        whole = _whole(valid_yx, side)
        wide, own = (uniform_filter(filled, n) for n in (_SURROUNDINGS, side))
        areas = _SURROUNDINGS**2, side**2
        ring = (wide * areas[0] - own * areas[1]) / (areas[0] - areas[1])
        middle = side // 2
        ring = ring[middle:, middle:][: whole.shape[0], : whole.shape[1]]
        every = max(math.ceil(whole.sum() / _MAX_PATCHES), 1)
        rows, columns = (index[::every] for index in np.nonzero(whole))
        # Quantiles: a single pixel of 1e20 would leave no digits for the others.
        low, centre, high = (float(q) for q in np.quantile(filled, (0.05, 0.5, 0.95)))
        unit = high - low or float(filled.std()) or 1.0
        scaled = ((filled - centre) / unit).clip(-_HIGHEST, _HIGHEST)
        windows = sliding_window_view(scaled.astype(np.float32), (side, side))
        return cls(windows, centre, unit, rows, columns, ring[rows, columns])

    def patches(self, which: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return some patches, (N, side * side)."""
        found = self.windows[self.rows[which], self.columns[which]]
        return found.reshape(len(which), -1)


def _whole(valid_yx: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """Return which squares, by their first pixel, hold valid pixels only."""
    for axis in (0, 1):
        length = valid_yx.shape[axis] - side + 1
        shifted = [valid_yx.take(range(k, k + length), axis=axis) for k in range(side)]
        valid_yx = np.logical_and.reduce(shifted)
    return valid_yx


def _frequencies(side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the bases of low and of high frequencies, each (side * side, N).

    The frequencies are those of the cosine transform. Mean and slopes are excluded: the
    slope on the flank of a bright cell would count as texture.
    """
    every = np.eye(side**2).reshape(-1, side, side)
    transform = dctn(every, axes=(1, 2), norm="ortho").reshape(side**2, -1)
    transform = transform.astype(np.float32)
    order = np.add.outer(np.arange(side), np.arange(side)).ravel()
    last_low = 4 * (side - 1) // 5
    return transform[:, (order > 1) & (order <= last_low)], transform[
        :, order > last_low
    ]


def _in_blocks(values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Return rows as whole blocks, (blocks, rows, columns), and the rest as one.

    For the products of all rows at once, BLAS starts threads that busy-wait for each
    other. On a loaded machine that takes several times as long as one thread.
    """
    whole = len(values) // _ROWS_AT_ONCE * _ROWS_AT_ONCE
    blocks = values[:whole].reshape(-1, _ROWS_AT_ONCE, values.shape[1])
    return [blocks, values[None, whole:]]


@dataclass(frozen=True)
class PatchBin:
    """The patches of an intensity bin.

    Attributes
    ----------
    means : ndarray of float64, shape (N,)
        Mean intensities, in the image's units.
    energy : ndarray of float64, shape (N,)
        Mean squares of the low frequencies, in squared image units.
    high : ndarray of float32, shape (N, frequencies)
        Coefficients of the high frequencies, in multiples of `unit`.
    fourth : ndarray of float32, shape (N,)
        Means of their fourth powers.
    low_count : int
        Number of low frequencies.
    unit : float
        In the image's units.
    """

    means: NDArray[np.float64]
    energy: NDArray[np.float64]
    high: NDArray[np.float32]
    fourth: NDArray[np.float32]
    low_count: int
    unit: float

    @classmethod
    def of(cls, places: PatchPlaces, which: NDArray[np.intp]) -> PatchBin:
        """Cut out and transform patches."""
        patches = places.patches(which)
        means = patches.mean(axis=1)
        patches -= means[:, None]  # for the digits of the products
        blocks = _in_blocks(patches)
        low, high = (
            np.concatenate(
                [(one @ basis).reshape(-1, basis.shape[1]) for one in blocks]
            )
            for basis in _frequencies(places.windows.shape[-1])
        )
        unit = places.unit
        return cls(
            means.astype(np.float64) * unit + places.centre,
            np.square(low).mean(axis=1, dtype=np.float64) * unit**2,
            high,
            np.square(np.square(high)).mean(axis=1),
            low.shape[1],
            unit,
        )

    def noise(
        self, kept: NDArray[np.bool_]
    ) -> tuple[float, float, float, float] | None:
        """Return mean, noise variance, excess kurtosis and number of some patches."""
        count, frequencies = int(kept.sum()), self.high.shape[1]
        if count < _PER_FREQUENCY[0] * frequencies:
            return None
        chosen = self.high if count == len(kept) else self.high[np.flatnonzero(kept)]
        sums = [
            np.matmul(block.transpose(0, 2, 1), block).sum(axis=0, dtype=np.float64)
            for block in _in_blocks(chosen)
        ]
        covariance = np.sum(sums, axis=0) / count
        variance = _smallest(np.sort(np.diag(covariance)))
        # Uniform texture, such as cloth, fills few directions but many frequencies.
        # Only the eigenvalues separate it from noise. They are not always used: without
        # texture they spread, and the smallest are too small.
        if count >= _PER_FREQUENCY[1] * frequencies:
            least = _smallest(np.linalg.eigvalsh(covariance))
            variance = least if least < _ONE_TEXTURE_BELOW * variance else variance
        squares = float(np.trace(covariance)) / frequencies
        fourth = float(self.fourth[kept].mean(dtype=np.float64))
        kurtosis = fourth / squares**2 - 3 if squares > 0 else 0.0
        limited = min(max(kurtosis, 0.0), _LARGEST_KURTOSIS)
        variance *= self.unit**2
        return float(self.means[kept].mean()), variance, limited, float(count)


def _smallest(ascending: NDArray[np.floating]) -> float:
    """Return the mean of the largest prefix that is not skewed to high values."""
    for count in range(len(ascending), 1, -1):
        smallest = ascending[:count]
        mean = smallest.mean()
        if np.sum(smallest > mean) >= np.sum(smallest < mean):
            return float(mean)
    return float(ascending[0])
