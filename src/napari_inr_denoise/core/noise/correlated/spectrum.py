"""Power spectrum and level of the noise, measured where a plane is quiet.

Noise is the same everywhere that the intensity is the same; structure is not. The plane
is cut into overlapping patches. Each is transformed by the cosine transform. A patch is
quiet if the patches around it and half of its own frequencies hold little energy: their
noise is independent of that in the other half, whose power is measured. In quiet
patches the mean power at each frequency is the power of the noise, whether the noise is
white or correlated, isotropic or along one direction.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.correlated.fine_spectrum import (
    REACH,
    TOLD,
    correlations,
    fine_spectrum,
    told_from_outside,
)
from napari_inr_denoise.core.noise.correlated.spectrum_patches import (
    SIDE,
    VARYING,
    SpectrumPatches,
)
from napari_inr_denoise.core.noise.level.intensity_bins import by_root_intensity
from napari_inr_denoise.core.noise.level.level_function import (
    NoiseLevelFunction,
    fill_invalid,
    lower_line,
)

_FEWEST_PATCHES = 200
_ROUNDS = 4
_BINS = 16
_LARGEST_RISE = 2.0
"""Largest variance of a bin over the line."""
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
_MOST_UNEVEN = 0.25
"""Largest unevenness of noise that is the same everywhere."""
_WHITE_PART = (0.3, 0.65)
"""Limits of the power at the highest frequencies, over the mean power, for correlated
noise with white noise on top. The upper one is over the mean without structure. Below
the lower one it may be texture: what is added after a filter is not much smaller than
what the filter left, and texture stands out of white noise by any factor."""
_LOWEST = (0.02, 0.2)
"""Quantiles of the energies whose ratio is the spread."""
_UNCORRELATED = 0.125
"""Correlation below which the noise at a distance counts as independent."""
_OSCILLATES = (-0.05, 1.6)
"""Largest of the least correlations along rows and columns, and largest spread, of
noise that oscillates and is no texture. 3 of 300 nearly clean planes count as such
noise, all photographs of bricks and shutters, and 41 of 45 with band-limited noise."""
_RINGS = -0.1
"""Correlation from which noise oscillates with the distance, because it is limited to a
band of frequencies, as after a zoom by Fourier transform or a deconvolution."""

_ky, _kx = np.mgrid[:SIDE, :SIDE]
_RADIUS = np.hypot(_ky, _kx) / (2 * SIDE)
"""Frequency of each coefficient, in cycles per pixel."""
_HIGHEST = 0.5
"""Lowest of the highest frequencies, along diagonals."""
_LOW_ONES = (_kx + _ky > 0) & (_kx + _ky < 4)
_HIGH_FROM, _RISES_BELOW = 0.38, 0.75
"""Lowest of the high frequencies, and the power of the low ones over theirs below which
the noise was sharpened. Structure adds to the low ones. Measured on 186 planes of 64 to
160 pixels with white noise: 0.81 and more; on frames of microscopes: 1.1 and more."""


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
    rough_kk : ndarray, shape (8, 8)
        The power of what no smooth curve explains.
    mixed : bool
        Whether the noise is the same everywhere, and part of it correlated, part white.
    rank_filtered : bool
        Whether a median or another rank filter has correlated the noise.
    """

    power_kk: NDArray[np.float64] = field(repr=False)
    level_function: NoiseLevelFunction = field(repr=False)
    spread: float
    rough_kk: NDArray[np.float64] = field(repr=False)
    mixed: bool
    rank_filtered: bool = False

    @property
    def fall(self) -> float:
        """Power at the highest over that at middle frequencies; 1 for white noise.

        It is the larger of two values: of the whole spectrum, and of what is left
        without smooth curves. Correlated noise has a small value in both.
        """
        return max(_fall(self.power_kk), _fall(self.rough_kk))

    @property
    def falls(self) -> bool:
        """Whether the power falls as that of correlated noise or of texture does."""
        return self.mixed or self.fall < _CORRELATED_BELOW[0][1]

    @property
    def sharpened(self) -> bool:
        """Whether the power rises with the frequency, as that of structure does not."""
        return rises(self.power_kk)

    @property
    def is_no_texture(self) -> bool:
        """Whether the noise is correlated in a way that texture is not."""
        return self.mixed or self.sharpened or self.rank_filtered

    @property
    def correlated(self) -> bool:
        """Whether neighbouring pixels share noise."""
        if self.is_no_texture:
            return True
        spreads, limits = zip(*_CORRELATED_BELOW, strict=True)
        return self.fall < float(np.interp(self.spread, spreads, limits))

    @property
    def oscillates(self) -> bool:
        """Whether it is noise whose correlation oscillates, the same everywhere."""
        lowest, most = _OSCILLATES
        if self.spread > most or not self.correlated:
            return False
        fine = fine_spectrum(self.power_kk)
        found = correlations(fine, REACH)
        negative = min(found[0].min(), found[:, 0].min()) <= lowest
        return negative and told_from_outside(fine, self.distance - 1) >= TOLD

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
        found = [
            (self.correlation(lag, 0), self.correlation(0, lag))
            for lag in range(1, SIDE // 2)
        ]
        near = [lag for lag, pair in enumerate(found, 1) if max(pair) < _UNCORRELATED]
        # Pixels farther away would tell noise that oscillates.
        least = 3 if np.min(found) <= _RINGS else 2
        return max(near[0] if near else SIDE // 2, least)


def measure_spectrum(
    plane_yx: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
    structure_yx: NDArray[np.float64] | None = None,
) -> NoiseSpectrum | None:
    """Measure the spectrum and the level function of the noise of a plane.

    Parameters
    ----------
    plane_yx : ndarray, shape (Y, X)
        Intensities in the image's units.
    valid_yx : ndarray of bool, shape (Y, X)
        Patches with an invalid pixel are left out.
    structure_yx : ndarray, shape (Y, X), or None
        An estimate of the plane without noise, in the image's units. It is subtracted
        from each patch.

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
    if structure_yx is not None:
        structure_yx = (structure_yx - centre) / unit
    patches = SpectrumPatches.of((filled - centre) / unit, valid_yx, structure_yx)
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
        variances = np.median(table[:, VARYING] / power[VARYING], axis=1)
        if not np.average(variances, weights=counts) > 0:
            return None
        line = lower_line(intensities, variances, counts)
        if number > 0:
            above = np.log(np.maximum(variances / line(intensities), 1.0))
            scales, weights = variances, counts * np.exp(-4 * above)
            shapes = table / np.maximum(scales, _TINY)[:, None, None]
            power = _weighted_median(shapes, weights)
            power = np.maximum(power / power[VARYING].mean(), _LEAST_POWER)
        around, *of_halves = patches.energies(power, line)
        halves = patches.quiet(of_halves[0], bins), patches.quiet(of_halves[1], bins)
    least, more = np.quantile(patches.usual(around), _LOWEST)
    limited = _without_structure(power)
    share = float(limited[VARYING].mean())
    highest = float(power[_RADIUS > _HIGHEST].mean())
    mixed = highest > _WHITE_PART[0] and highest / share < _WHITE_PART[1]
    mixed = mixed and patches.unevenness(power, line) < _MOST_UNEVEN
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
    of_each = [patches.power(k, m, rough=True) for k, m in pairs]
    shapes = np.stack(of_each) / np.maximum(scales, _TINY)[:, None, None]
    rough = _weighted_median(shapes, weights)
    spread = float(more / max(least, _TINY))
    return NoiseSpectrum(power, function, spread, rough, mixed)


def rises(power_kk: NDArray[np.float64]) -> bool:
    """Return whether power rises with the frequency, as after sharpening.

    Parameters
    ----------
    power_kk : ndarray, shape (8, 8)
        Power at each frequency, as in `NoiseSpectrum`.
    """
    low, high = power_kk[_LOW_ONES], power_kk[_RADIUS > _HIGH_FROM]
    return float(low.mean()) < _RISES_BELOW * float(high.mean())


def _fall(power_kk: NDArray[np.float64]) -> float:
    """Return the power at the highest over that at middle frequencies.

    It is the smallest of three: along columns, along rows, and along diagonals. The
    lowest frequencies, where structure is, are left out.
    """
    middle, highest, across = slice(3, 5), slice(6, 8), slice(2, 8)
    diagonal = (_RADIUS > 0.25) & (_RADIUS < 0.38)
    pairs = (
        (power_kk[highest, across], power_kk[middle, across]),
        (power_kk[across, highest], power_kk[across, middle]),
        (power_kk[_RADIUS > _HIGHEST], power_kk[diagonal]),
    )
    return min(
        float(high.mean()) / max(float(low.mean()), 1e-12) for high, low in pairs
    )


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
