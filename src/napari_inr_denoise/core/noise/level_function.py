"""How the noise grows with the signal: variance against intensity, from one image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import dctn
from scipy.ndimage import uniform_filter

_SIDES = (6, 4)
"""Sides of the patches, in pixels; the smaller where there are few."""
_SURROUNDINGS = 14
"""Side of the window around a patch that tells which group the patch belongs to."""
_GROUPS = (4, 16)
_PATCHES_PER_VALUE = 20
"""Patches a group has at least, for each value in a patch."""
_MAX_PATCHES = 300_000
_ROWS_AT_ONCE = 256
"""Of a matrix product: so few that BLAS does not start threads."""
_ROUNDS = 4
_PER_FREQUENCY = (2, 10)
_TEXTURE = 2.0
"""Standard deviations over the expected energy from which a patch counts as texture."""
_ONE_TEXTURE_BELOW = 0.8
"""Smallest eigenvalues over smallest variances of frequencies, see `_group`."""
_LARGEST_KURTOSIS = 10.0
_SIGNIFICANT = 3.0
"""Standard errors from which on a slope counts as one."""
_LEAST_SHARE = 0.05
"""Of the mean variance: what a fitted line or table may go down to."""


@dataclass(frozen=True)
class NoiseLevelFunction:
    """Noise variance as a function of the clean intensity.

    Attributes
    ----------
    gain : float
        Slope of the line variance = gain * intensity + variance_at_zero: intensity
        units per photon. 0 where the noise does not grow with the signal.
    variance_at_zero : float
        Of that line, in squared intensity units. Negative where the detector adds an
        offset to the intensities.
    intensities, variances : tuple of float
        The groups that were measured, by rising intensity.
    """

    gain: float
    variance_at_zero: float
    intensities: tuple[float, ...]
    variances: tuple[float, ...]

    def line(self, intensity: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the line's variance, kept above 0."""
        least = _LEAST_SHARE * float(np.mean(self.variances))
        line = self.gain * intensity + self.variance_at_zero
        return np.asarray(np.maximum(line, least), dtype=np.float64)

    @property
    def least(self) -> float:
        """The least variance at any intensity."""
        return max(min(self.variances[:-1]), 0.0)

    def variance(self, intensity: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the variance at clean intensities.

        Between the groups it is interpolated, for clipping and dark signal bend the
        line; above the brightest group it goes on along the line, since that group
        is wide.

        Parameters
        ----------
        intensity : ndarray
            In the image's own units; any shape.
        """
        known = np.array(self.intensities[:-1]), np.array(self.variances[:-1])
        between = np.interp(intensity, *known)
        beyond = np.maximum(intensity - known[0][-1], 0.0)
        variance = between + max(self.gain, 0.0) * beyond
        return np.asarray(np.maximum(variance, 0.0), dtype=np.float64)


def constant_level_function(sigma: float) -> NoiseLevelFunction:
    """Return the curve of noise that is the same everywhere."""
    return NoiseLevelFunction(0.0, sigma**2, (0.0, 1.0), (sigma**2, sigma**2))


def measure_level_function(
    plane_yx: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> NoiseLevelFunction | None:
    """Measure how the noise variance grows with the signal.

    Patches are grouped by the mean of their surroundings, whose noise is not their
    own: grouped by their own mean, the line would come out too flat where there are
    few photons. In each group patches with more energy in the low frequencies than
    noise at their intensity has are left out as texture, in rounds (after Liu, Tanaka,
    Okutomi, IEEE TIP 2013), and the smallest variances of the high frequencies are
    the noise (after Ponomarenko et al., VCIP 2007). A robust line goes through the
    groups.

    Parameters
    ----------
    plane_yx : ndarray, shape (Y, X)
        Intensities with white noise; of correlated noise a sub-lattice is white.
    valid_yx : ndarray of bool, shape (Y, X)
        Patches with an invalid pixel are left out.

    Returns
    -------
    NoiseLevelFunction or None
        In the image's units; None where there are too few patches.
    """
    for side in _SIDES:
        if min(plane_yx.shape) < 2 * side:
            continue
        patches, surroundings = _patches(plane_yx, valid_yx, side)
        groups = min(len(patches) // (_PATCHES_PER_VALUE * side**2), _GROUPS[1])
        if groups >= _GROUPS[0]:
            order = np.argsort(surroundings, kind="stable")
            return _curve(patches, np.array_split(order, groups))
    return None


def fill_invalid(
    plane_yx: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> NDArray[np.floating]:
    """Return the plane with the mean of the valid pixels in place of the others."""
    mean = float(plane_yx[valid_yx].mean()) if valid_yx.any() else 0.0
    return np.where(valid_yx, plane_yx, mean)


def _patches(
    plane_yx: NDArray[np.floating], valid_yx: NDArray[np.bool_], side: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return patches (N, side * side) and the means of their surroundings (N,)."""
    filled = fill_invalid(plane_yx, valid_yx)
    windows = sliding_window_view(filled, (side, side))
    whole = sliding_window_view(valid_yx, (side, side)).all(axis=(-1, -2))
    wide, own = (uniform_filter(filled, n) for n in (_SURROUNDINGS, side))
    areas = _SURROUNDINGS**2, side**2
    ring = (wide * areas[0] - own * areas[1]) / (areas[0] - areas[1])
    centre = side // 2
    ring = ring[centre:, centre:][: whole.shape[0], : whole.shape[1]]
    every = max(math.ceil(whole.sum() / _MAX_PATCHES), 1)
    rows, columns = (index[::every] for index in np.nonzero(whole))
    patches = windows[rows, columns].reshape(len(rows), side * side)
    patches = patches.astype(np.float64)
    return patches, ring[rows, columns]


def _frequencies(
    patches: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Return the energy of the low frequencies, the high ones, and how many are low.

    By the cosine transform. The mean and the slopes are in neither: on the flank of a
    bright cell a slope would pass for texture.
    """
    side = math.isqrt(patches.shape[1])
    every = np.eye(side**2).reshape(-1, side, side)
    transform = dctn(every, axes=(1, 2), norm="ortho").reshape(side**2, -1)
    order = np.add.outer(np.arange(side), np.arange(side)).ravel()
    last_low = 4 * (side - 1) // 5
    low = transform[:, (order > 1) & (order <= last_low)]
    high = transform[:, order > last_low]
    energy = np.square(_product(patches, low)).mean(axis=1)
    return energy, _product(patches, high), low.shape[1]


def _product(
    values: NDArray[np.float64], matrix: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the matrix product of many rows, block by block.

    Over all rows at once, BLAS starts threads that wait for each other in a loop: on a
    busy machine that takes several times as long as one thread.
    """
    whole = len(values) // _ROWS_AT_ONCE * _ROWS_AT_ONCE
    result = np.empty((len(values), matrix.shape[1]))
    blocks = (-1, _ROWS_AT_ONCE)
    np.matmul(
        values[:whole].reshape(*blocks, len(matrix)),
        matrix,
        out=result[:whole].reshape(*blocks, matrix.shape[1]),
    )
    result[whole:] = values[whole:] @ matrix
    return result


def _curve(
    patches: NDArray[np.float64], groups: list[NDArray[np.intp]]
) -> NoiseLevelFunction | None:
    """Measure the groups, in rounds that know better and better what is texture.

    Texture shows in the low frequencies, noise is measured in the high ones. Were one
    choice made of what is measured, patches whose noise happens to be strong would be
    left out, and the level would come out low.
    """
    means = patches.mean(axis=1)
    energy, high, low_count = _frequencies(patches)
    kept, tiny = np.ones(len(patches), dtype=bool), float(np.finfo(float).tiny)
    curve: NoiseLevelFunction | None = None
    for _ in range(_ROUNDS):
        table = [_group(high, means, part[kept[part]]) for part in groups]
        known = [row for row in table if row is not None]
        if len(known) < _GROUPS[0]:
            return curve
        curve = _through(np.array(known))
        kept = np.zeros(len(patches), dtype=bool)
        for part, row in zip(groups, table, strict=True):
            if row is None:
                continue
            mean, variance, kurtosis, _ = row
            # The group's own variance, moved along the line to each patch's mean.
            ends = curve.line(np.array([mean]))[0]
            expected = variance * curve.line(means[part]) / max(ends, tiny)
            spread = math.sqrt((2 + kurtosis) / low_count)
            kept[part] = energy[part] <= expected * (1 + _TEXTURE * spread)
    return curve


def _group(
    high: NDArray[np.float64],
    means: NDArray[np.float64],
    part: NDArray[np.intp],
) -> tuple[float, float, float, float] | None:
    """Return a group's mean, noise variance, excess kurtosis and number of patches."""
    if len(part) < _PER_FREQUENCY[0] * high.shape[1]:
        return None
    chosen = high[part]
    covariance = chosen.T @ chosen / len(part)
    variance = _smallest(np.sort(np.diag(covariance)))
    # Texture of one kind, as of cloth, fills few directions but many frequencies. The
    # eigenvalues see it; without texture they spread, and the smallest are too small.
    if len(part) >= _PER_FREQUENCY[1] * high.shape[1]:
        least = _smallest(np.linalg.eigvalsh(covariance))
        variance = least if least < _ONE_TEXTURE_BELOW * variance else variance
    squares = float(np.trace(covariance)) / chosen.shape[1]
    power = np.square(chosen)
    fourth = float(np.square(power).mean())  # far quicker than a fourth power
    kurtosis = fourth / squares**2 - 3 if squares > 0 else 0.0
    limited = min(max(kurtosis, 0.0), _LARGEST_KURTOSIS)
    return float(means[part].mean()), variance, limited, float(len(part))


def _smallest(ascending: NDArray[np.floating]) -> float:
    """Return the mean of the largest prefix that is not skewed upwards."""
    for count in range(len(ascending), 1, -1):
        smallest = ascending[:count]
        mean = smallest.mean()
        if np.sum(smallest > mean) >= np.sum(smallest < mean):
            return float(mean)
    return float(ascending[0])


def _slope_error(
    columns: NDArray[np.float64],
    weight: NDArray[np.float64],
    residual: NDArray[np.float64],
) -> float:
    """Return the standard error of a weighted line's slope, from its own residuals."""
    inverse = np.linalg.pinv((columns * weight[:, None]).T @ columns)
    scatter = float((weight * residual**2).sum()) / max(len(residual) - 2, 1)
    return math.sqrt(max(float(inverse[0, 0]) * scatter, 0.0))


def _through(table: NDArray[np.float64]) -> NoiseLevelFunction:
    """Fit a line to the groups; each weighs by the precision of its variance."""
    table = table[np.argsort(table[:, 0], kind="stable")]
    mean, variance, _, count = table.T
    variance = np.maximum(variance, 0.0)  # rounding, where there is no noise
    floor = float(variance.mean()) * _LEAST_SHARE
    if floor == 0:
        return NoiseLevelFunction(0.0, 0.0, tuple(mean), tuple(variance))
    unit = float(np.abs(mean).max()) or 1.0
    columns = np.stack([mean / unit, np.ones_like(mean)], axis=1)
    weight = count * (floor / np.maximum(variance, floor)) ** 2
    slope, intercept = 0.0, float(variance.mean())
    for _ in range(30):
        root = np.sqrt(weight)[:, None]
        slope, intercept = np.linalg.lstsq(
            columns * root, variance * root[:, 0], rcond=None
        )[0]
        fitted = np.maximum(columns @ (slope, intercept), floor)
        off = np.abs(variance - fitted) / fitted
        # Large deviations (texture, clipping) count by their size, not its square.
        weight = (
            count
            * (floor / fitted) ** 2
            / np.maximum(1, off / (1.48 * np.median(off) + 1e-3))
        )
    if slope <= _SIGNIFICANT * _slope_error(columns, weight, variance - fitted):
        slope, intercept = 0.0, float(np.average(variance, weights=count))
    return NoiseLevelFunction(
        slope / unit, float(intercept), tuple(mean), tuple(variance)
    )
