"""Power spectrum and level of the noise, measured where a plane is quiet.

Noise is the same everywhere that the intensity is the same; structure is not. The plane
is cut into overlapping patches. Each is transformed by the cosine transform. A patch is
quiet if the patches around it and half of its own frequencies hold little energy: their
noise is independent of that in the other half, whose power is measured. In quiet
patches the mean power at each frequency is the power of the noise, whether the noise is
white or correlated, isotropic or along one direction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import dct
from scipy.special import chdtr, gammaincinv

from napari_inr_denoise.core.noise.intensity_bins import by_root_intensity
from napari_inr_denoise.core.noise.level_function import (
    Line,
    NoiseLevelFunction,
    fill_invalid,
    lower_line,
)

SIDE = 8
"""Side of a patch, in pixels."""
_MAX_PATCHES = 25_000
_FEWEST_PATCHES = 200
_ROUNDS = 4
_KEPT = 0.9
"""Share of the squared coefficients, from the smallest, whose mean is the power. The
rest may be structure."""
_KEPT_MEAN = float(chdtr(3, 2 * gammaincinv(0.5, _KEPT))) / _KEPT
"""Mean of that share for Gaussian noise of variance 1."""
_QUIET = (0.05, 1.3)
"""Quantile of the energies around, and its multiple up to which a patch is quiet."""
_LEAST_QUIET = (40, 0.1)
"""Smallest number and share of patches that are used at each intensity."""
_OUTLIER = 5.5
"""Median absolute deviations, as standard deviations, at which a pixel of a patch is no
noise. Small bright spots would otherwise count as noise that is correlated."""
_LARGEST_ENERGY = 30.0
"""Limit of a squared coefficient over the power of the noise; see `energies`."""
_BINS = 16
_BIN_PIXELS = 1920
"""Smallest number of pixels that the patches of a bin start at."""
_LARGEST_RISE = 2.0
"""Largest variance of a bin over the line."""
_EMPHASIS = 0.5
"""Power of the noise power by which frequencies count in the energy of a patch: between
all alike (0), when texture hides where most of the noise is, and as they are (1)."""
_LEAST_SHARE = 0.03
"""Smallest power at a frequency by which an energy is divided. Where almost no noise
is, the slightest structure would count."""
_LOW, _TOLERANCE = 4, 0.1
"""Sum of the two indices up to which the power is limited, and what it may exceed the
limit by, as a logarithm; see `_without_structure`."""
_LEAST_POWER, _TINY = 1e-6, 1e-30
_CORRELATED_BELOW = ((1.35, 0.5), (2.0, 0.08))
"""Pairs of a spread (see `NoiseSpectrum`), and the power at the highest over that at
middle frequencies below which noise of this spread is correlated.

The power that noise of one level leaves in quiet patches is the same everywhere.
Texture is not, and where it fills the plane, its power falls too. Measured on planes of
64 to 128 pixels: with these limits 101 of 102 planes turned by 7 degrees are
correlated, 18 of 36 photographs that were turned or blurred by 0.6 pixels, and 5 of 42
textured planes with white noise (3 of 18 photographs at sigma 3).
"""
_LOWEST = (0.02, 0.2)
"""Quantiles of the energies whose ratio is the spread."""
_UNCORRELATED = 0.125
"""Correlation below which the noise at a distance counts as independent."""

_ky, _kx = np.mgrid[:SIDE, :SIDE]
_RADIUS = np.hypot(_ky, _kx) / (2 * SIDE)
"""Frequency of each coefficient, in cycles per pixel."""
_VARYING = (_ky + _kx) > 0
_EVEN = (_ky + _kx) % 2 == 0
"""Half of the frequencies. Noise whose correlation is the same to both sides has
independent coefficients in the two halves of a patch."""
_BASIS = dct(np.eye(SIDE), axis=0, norm="ortho")


@dataclass(frozen=True)
class NoiseSpectrum:
    """Spectrum of the noise of one sample of a plane.

    Attributes
    ----------
    power_kk : ndarray, shape (8, 8)
        Power at each frequency of the cosine transform, vertical first. The mean
        without the first coefficient is 1; white noise has 1 everywhere.
    level_function : NoiseLevelFunction
        Noise variance over intensity, of all frequencies together.
    spread : float
        Ratio of the energy below which a fifth of the patches lie to that below which
        only the quietest lie. Near 1 if many patches hold noise alone.
    """

    power_kk: NDArray[np.float64] = field(repr=False)
    level_function: NoiseLevelFunction = field(repr=False)
    spread: float

    @property
    def fall(self) -> float:
        """Power at the highest over that at middle frequencies; 1 for white noise.

        It is the smallest of three: along columns, along rows, and along diagonals.
        The lowest frequencies, where structure is, are left out.
        """
        middle, highest, across = slice(3, 5), slice(6, 8), slice(2, 8)
        power = self.power_kk
        diagonal = (_RADIUS > 0.25) & (_RADIUS < 0.38)
        pairs = (
            (power[highest, across], power[middle, across]),
            (power[across, highest], power[across, middle]),
            (power[_RADIUS > 0.5], power[diagonal]),
        )
        return min(
            float(high.mean()) / max(float(low.mean()), 1e-12) for high, low in pairs
        )

    @property
    def correlated(self) -> bool:
        """Whether neighbouring pixels share noise."""
        spreads, limits = zip(*_CORRELATED_BELOW, strict=True)
        return self.fall < float(np.interp(self.spread, spreads, limits))

    def correlation(self, lag_y: int, lag_x: int) -> float:
        """Return the correlation of the noise of two pixels; lags are in pixels."""
        power = self.power_kk.copy()
        # The mean of a patch holds structure. Its frequency is next to the lowest ones.
        power[0, 0] = (power[0, 1] + power[1, 0]) / 2
        along = np.cos(np.pi * np.arange(SIDE) / SIDE * lag_y)
        across = np.cos(np.pi * np.arange(SIDE) / SIDE * lag_x)
        # All frequencies but the first stand for a positive and a negative one.
        count = np.where(np.arange(SIDE) > 0, 2.0, 1.0)
        weights = np.outer(count, count) * power
        return float((along * count) @ power @ (across * count) / weights.sum())

    @property
    def distance(self) -> int:
        """Smallest distance in pixels at which the noise is independent; 1 if white."""
        if not self.correlated:
            return 1
        for lag in range(1, SIDE // 2):
            furthest = max(self.correlation(lag, 0), self.correlation(0, lag))
            if furthest < _UNCORRELATED:
                return max(lag, 2)
        return SIDE // 2


def measure_spectrum(
    plane_yx: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> NoiseSpectrum | None:
    """Measure the spectrum and the level function of the noise of a plane.

    Parameters
    ----------
    plane_yx : ndarray, shape (Y, X)
        Intensities in the image's units.
    valid_yx : ndarray of bool, shape (Y, X)
        Patches with an invalid pixel are left out.

    Returns
    -------
    NoiseSpectrum or None
        None if there are too few patches.
    """
    if min(plane_yx.shape) < 2 * SIDE:
        return None
    filled = fill_invalid(plane_yx, valid_yx)
    # float32 resolves little on a large offset, and cannot hold the square of 1e20.
    centre, unit = float(filled.mean()), float(filled.std()) or 1.0
    patches = _Patches.of((filled - centre) / unit, valid_yx)
    if len(patches.means) < _FEWEST_PATCHES:
        return None
    bins = by_root_intensity(patches.surroundings, _BINS, patches.least)
    power = np.ones((SIDE, SIDE))
    halves = bins, bins
    for number in range(_ROUNDS + 1):
        pairs = list(zip(*halves, strict=True))
        counts = np.array([(len(k) + len(m)) / 2 for k, m in pairs])
        intensities = np.array(
            [(patches.means[k].mean() + patches.means[m].mean()) / 2 for k, m in pairs]
        )
        table = np.stack([patches.power(k, m) for k, m in pairs])
        # Most frequencies are high ones, where structure is weak.
        variances = np.median(table[:, _VARYING] / power[_VARYING], axis=1)
        if not np.average(variances, weights=counts) > 0:
            return None
        line = lower_line(intensities, variances, counts)
        if number > 0:
            above = np.log(np.maximum(variances / line(intensities), 1.0))
            shapes = table / np.maximum(variances, _TINY)[:, None, None]
            power = _weighted_median(shapes, counts * np.exp(-4 * above))
            power = np.maximum(power / power[_VARYING].mean(), _LEAST_POWER)
        around, *of_halves = patches.energies(power, line)
        halves = patches.quiet(of_halves[0], bins), patches.quiet(of_halves[1], bins)
    least, more = np.quantile(patches.usual(around), _LOWEST)
    limited = _without_structure(power)
    share = float(limited[_VARYING].mean())
    power, variances = limited / share, variances * share
    variances = np.minimum(variances, _LARGEST_RISE * line(intensities))
    if len(bins) == 1:
        intensities, variances = np.tile(intensities, 2), np.tile(variances, 2)
    gain = line.slope * unit
    function = NoiseLevelFunction(
        gain,
        line.intercept * unit**2 - gain * centre,
        tuple(intensities * unit + centre),
        tuple(variances * unit**2),
        power,
    )
    return NoiseSpectrum(power, function, float(more / max(least, _TINY)))


@dataclass(frozen=True)
class _Patches:
    """Overlapping patches of a plane.

    Attributes
    ----------
    squares : ndarray of float32, shape (N, 8, 8)
        Squared coefficients of the cosine transform.
    means, surroundings : ndarray, shape (N,)
        Mean intensity of a patch and of the eight patches around it.
    outlier : ndarray of bool, shape (N,)
        Whether a pixel stands out of its patch.
    whole_yx : ndarray of bool, shape (rows, columns)
        Grid of all patches: whether all pixels are valid, and not of one value. N of
        them are.
    apart : int
        Distance in the grid at which patches do not overlap.
    least : int
        Smallest number of patches of an intensity bin.
    """

    squares: NDArray[np.float32]
    means: NDArray[np.float64]
    surroundings: NDArray[np.float64]
    outlier: NDArray[np.bool_]
    whole_yx: NDArray[np.bool_]
    apart: int
    least: int

    @classmethod
    def of(
        cls, plane_yx: NDArray[np.floating], valid_yx: NDArray[np.bool_]
    ) -> _Patches:
        """Cut and transform the patches."""
        stride = math.ceil(math.sqrt(plane_yx.size / _MAX_PATCHES))
        grid, apart = (slice(None, None, stride),) * 2, math.ceil(SIDE / stride)
        windows = sliding_window_view(plane_yx.astype(np.float32), (SIDE,) * 2)
        inside = sliding_window_view(valid_yx, (SIDE,) * 2)[grid]
        # A patch of one value, as where no photon arrived, has no noise to measure.
        varies = windows[grid].max(axis=(-1, -2)) > windows[grid].min(axis=(-1, -2))
        whole = np.asarray(inside.all(axis=(-1, -2)) & varies)
        patches = windows[grid][whole]
        basis = _BASIS.astype(np.float32)
        coefficients = basis @ patches @ basis.T
        means = coefficients[:, 0, 0].astype(np.float64) / SIDE
        return cls(
            np.square(coefficients),
            means,
            _around(means, whole, apart),
            _stands_out(patches.reshape(len(patches), SIDE**2)),
            whole,
            apart,
            max(_BIN_PIXELS // (4 * stride**2), 60),
        )

    def energies(
        self, power: NDArray[np.float64], line: Line
    ) -> tuple[NDArray[np.float64], ...]:
        """Return energies over those of noise; 1 without structure.

        A large energy is limited, so that a single bright edge does not spread.

        Returns
        -------
        tuple of three ndarray, each of shape (N,)
            Of the patches around each; and the mean of that and the energy of the patch
            itself, once in the frequencies without `_EVEN` and once in these.
        """
        scale = np.maximum(power, _LEAST_SHARE)[_VARYING].astype(np.float32)
        middle = (self.surroundings + self.means) / 2
        expected = line(middle).astype(np.float32)[:, None]
        relative = self.squares.reshape(len(expected), -1)[:, 1:] / scale
        relative /= np.maximum(expected, _TINY)
        np.minimum(relative, _LARGEST_ENERGY, out=relative)
        weights = scale**_EMPHASIS / (scale**_EMPHASIS).sum()
        even = _EVEN[_VARYING]
        sums = [relative[:, which] @ weights[which] for which in (~even, even)]
        around = _around(np.sum(sums, axis=0, dtype=float), self.whole_yx, self.apart)
        odd, own = sums[0] / weights[~even].sum(), sums[1] / weights[even].sum()
        found = around, (around + odd) / 2, (around + own) / 2
        return tuple(np.where(self.outlier, 100 * one, one) for one in found)

    def usual(self, energies: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the energies of patches in which no pixel stands out."""
        return energies if self.outlier.all() else energies[~self.outlier]

    def quiet(
        self, energies: NDArray[np.float64], bins: Sequence[NDArray[np.intp]]
    ) -> list[NDArray[np.intp]]:
        """Return the quiet patches of each bin."""
        limit = _QUIET[1] * float(np.quantile(self.usual(energies), _QUIET[0]))
        return [_quiet(energies, members, limit) for members in bins]

    def power(
        self, for_even: NDArray[np.intp], for_odd: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return the power at each frequency, from other patches for each half."""
        of_each = [_power(self.squares[which]) for which in (for_even, for_odd)]
        return np.where(_EVEN, *of_each)


def _around(
    values: NDArray[np.float64], whole_yx: NDArray[np.bool_], apart: int
) -> NDArray[np.float64]:
    """Return the mean of the eight patches around each, mirrored at the edges."""
    grid, count = np.zeros(whole_yx.shape), whole_yx.astype(np.float64)
    grid[whole_yx] = values
    rows, columns = whole_yx.shape[0], whole_yx.shape[1]

    def sums(plane: NDArray[np.float64]) -> NDArray[np.float64]:
        padded = np.pad(plane, apart, mode="symmetric")
        places = [(top, left) for top in range(3) for left in range(3)]
        parts = [
            padded[top * apart :, left * apart :][:rows, :columns]
            for top, left in places
            if (top, left) != (1, 1)
        ]
        return np.asarray(np.sum(parts, axis=0)[whole_yx])

    number = sums(count)
    return np.where(number > 0, sums(grid) / np.maximum(number, 1), values)


def _stands_out(patches: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which patches hold a pixel far outside of the others."""
    if not len(patches):
        return np.zeros(0, dtype=np.bool_)
    middle = np.median(patches, axis=1, keepdims=True)
    away = np.abs(patches - middle)
    usual = 1.4826 * np.median(away, axis=1)
    return np.asarray((away.max(axis=1) > _OUTLIER * usual) & (usual > 0))


def _quiet(
    energies: NDArray[np.float64], members: NDArray[np.intp], limit: float
) -> NDArray[np.intp]:
    """Return the quiet patches of a bin: at least a few."""
    own = energies[members]
    least = max(_LEAST_QUIET[0], int(_LEAST_QUIET[1] * len(members)))
    count = max(int((own <= limit).sum()), least)
    if count >= len(members):
        return members
    return members[np.argpartition(own, count - 1)[:count]]


def _power(squares: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean square of each coefficient, without the largest ones."""
    kept = max(int(_KEPT * len(squares)), 1)
    smallest = np.partition(squares, kept - 1, axis=0)[:kept]
    return np.asarray(smallest.mean(axis=0, dtype=np.float64) / _KEPT_MEAN)


def _without_structure(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the spectrum with the lowest frequencies limited by the next ones.

    Structure that is left in quiet patches is mostly there. Noise that was filtered
    falls along rows and columns like a Gaussian, or more slowly at first.
    """
    logs = np.log(np.maximum(power, _LEAST_POWER))
    for across in range(_LOW):
        for line in (logs[:, across], logs[across]):  # views, which are changed
            for k in range(min(_LOW - across, 2), 0, -1):
                fall = max(line[k + 1] - line[k + 2], 0.0) / (2 * k + 3)
                line[k] = min(line[k], line[k + 1] + fall * (2 * k + 1) + _TOLERANCE)
    return np.exp(logs)


def _weighted_median(
    tables: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weighted median over the first axis."""
    order = np.argsort(tables, axis=0)
    ascending = np.take_along_axis(tables, order, axis=0)
    shares = np.cumsum(weights[order], axis=0) / weights.sum()
    middle = (shares >= 0.5).argmax(axis=0)
    return np.asarray(np.take_along_axis(ascending, middle[None], axis=0)[0])
