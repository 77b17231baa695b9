"""Noise level function: noise variance over intensity, measured on one image."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from napari_inr_denoise.core.noise.level.intensity_bins import by_root_intensity
from napari_inr_denoise.core.noise.level.patches import PatchBin, PatchPlaces

_SIDES = (6, 4)
"""Sides of the patches, in pixels. The smaller is used if there are few patches."""
_GROUPS = (4, 16)
"""Smallest and largest number of intensity bins (groups)."""
_PATCHES_PER_VALUE = 20
"""Minimum number of patches in a group, per value of a patch."""
_FEWER = 4
"""Factor by which a bin of few, bright patches may be smaller."""
_ROUNDS = 4
"""Iterations of texture rejection."""
_TEXTURE = 2.0
"""Standard deviations above the expected energy at which a patch counts as texture."""
_SIGNIFICANT = 3.0
"""Standard errors above which a slope is significant."""
_CHANCE = 2e-4
"""Probability that noise on a line passes for noise that grows faster, by the t-test of
normal values. The bins are fitted robustly: 4 in 1000 lines with 8 bins pass."""
_LOWER, _LINE_ROUNDS = 0.4, 40
"""Weight of a bin above the fitted line; one below it has the rest of 1. Structure only
adds to the power."""
_LEAST_LINE = 0.05
"""Smallest variance of the line over the mean variance."""
_STEEP = 3.0
"""Variance of the brightest bin over the mean one above which the noise does grow."""
_FREE_SIGMAS, _CENSORED = 3.0, 32
"""Standard deviations below the largest value at which saturation leaves the noise as
it is, and number of intensities beyond for which the rest of it is computed."""
_FAR = 1e5
"""Energy over the usual one at which a patch is never noise. In the sums of squares of
float32 it would leave no digits for the others."""
_TINY = 1e-30
_MIN_FRACTION = 0.05
"""Lower limit of the fitted line and the table, as a fraction of the mean variance."""


@dataclass(frozen=True)
class NoiseLevelFunction:
    """Noise variance as a function of the clean intensity.

    Attributes
    ----------
    gain : float
        Slope of the line variance = gain * intensity + variance_at_zero, in intensity
        units per photon. 0 if the noise does not depend on the signal.
    variance_at_zero : float
        Intercept of that line, in squared intensity units. It is negative if the
        detector adds an offset to the intensities.
    intensities, variances : tuple of float
        Mean intensity and noise variance of the measured bins, by rising intensity.
    power_kk : ndarray, shape (8, 8), or None
        Power of correlated noise at each frequency of the cosine transform, vertical
        first, with a mean of 1. None for white noise.
    extra_slope : float
        Slope above the measured bins minus the gain. Above 0 where noise grows faster
        than the intensity, as multiplicative noise does.
    """

    gain: float
    variance_at_zero: float
    intensities: tuple[float, ...]
    variances: tuple[float, ...]
    power_kk: NDArray[np.float64] | None = field(
        default=None, repr=False, compare=False
    )
    extra_slope: float = 0.0

    def line(self, intensity: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the variance of the fitted line, limited to above 0."""
        least = _MIN_FRACTION * float(np.mean(self.variances))
        line = self.gain * intensity + self.variance_at_zero
        return np.asarray(np.maximum(line, least), dtype=np.float64)

    def times(self, factor: float) -> NoiseLevelFunction:
        """Return the function with all variances multiplied by a factor."""
        return replace(
            self,
            gain=self.gain * factor,
            variance_at_zero=self.variance_at_zero * factor,
            variances=tuple(one * factor for one in self.variances),
            extra_slope=self.extra_slope * factor,
        )

    def down_to(self, intensity: float) -> NoiseLevelFunction:
        """Return the function with the line below the darkest bin, for darker images.

        Parameters
        ----------
        intensity : float
            Lowest intensity of the image, without its noise.
        """
        darkest, variance = self.intensities[0], self.variances[0]
        at_darkest = self.gain * darkest + self.variance_at_zero
        if intensity >= darkest or not (variance > 0 and at_darkest > 0):
            return self
        share = (self.gain * intensity + self.variance_at_zero) / at_darkest
        return replace(
            self,
            intensities=(intensity, *self.intensities),
            variances=(variance * max(share, _TINY), *self.variances),
        )

    def stretched(self, factor: float, fixed: float) -> NoiseLevelFunction:
        """Return the function after the intensities are multiplied by a factor.

        Parameters
        ----------
        factor : float
            Above 0.
        fixed : float
            The intensity that stays what it is.
        """
        gain = self.gain * factor
        kept = self.variance_at_zero + self.gain * fixed
        return replace(
            self,
            gain=gain,
            variance_at_zero=kept * factor**2 - gain * fixed,
            intensities=tuple(fixed + factor * (k - fixed) for k in self.intensities),
            variances=tuple(one * factor**2 for one in self.variances),
            extra_slope=self.extra_slope * factor,
        )

    @property
    def least(self) -> float:
        """Lowest variance at any intensity."""
        return max(min(self.variances[:-1]), 0.0)

    def variance(self, intensity: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the variance at clean intensities.

        Between bins it is interpolated, because clipping and dark signal bend the
        line. Above the second brightest bin it follows the slope of the line, or a
        steeper one: the brightest bin spans a wide range.

        Parameters
        ----------
        intensity : ndarray
            In the image's own units; any shape.
        """
        known = np.array(self.intensities[:-1]), np.array(self.variances[:-1])
        between = np.interp(intensity, *known)
        beyond = np.maximum(intensity - known[0][-1], 0.0)
        variance = between + (max(self.gain, 0.0) + self.extra_slope) * beyond
        return np.asarray(np.maximum(variance, 0.0), dtype=np.float64)


@dataclass(frozen=True)
class Line:
    """Noise variance as a line over intensity, limited to above 0."""

    slope: float
    intercept: float
    least: float

    def __call__(self, intensity: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the variance at intensities."""
        return np.maximum(self.slope * intensity + self.intercept, self.least)


def constant_level_function(sigma: float) -> NoiseLevelFunction:
    """Return the noise level function of signal-independent noise."""
    return NoiseLevelFunction(0.0, sigma**2, (0.0, 1.0), (sigma**2, sigma**2))


def saturated_level_function(
    curve: NoiseLevelFunction, limit: float
) -> NoiseLevelFunction:
    """Return the noise level function of values that are cut off at a limit.

    Near the limit only the part of the noise below it is left (mean and variance of a
    censored normal variable; after Foi, Signal Processing 2009).

    Parameters
    ----------
    curve : NoiseLevelFunction
        Measured without the values at the limit. Bins close to it are too low; the line
        replaces them.
    limit : float
        Largest value that was recorded, in the image's units.
    """
    means, variances = np.array(curve.intensities), np.array(curve.variances)
    free = means + _FREE_SIGMAS * np.sqrt(curve.line(means)) < limit
    if free.sum() < 2:
        return curve
    start = means[free][-1]
    at_limit = float(curve.line(np.array(limit))) + curve.extra_slope * (limit - start)
    last = limit + _FREE_SIGMAS * math.sqrt(at_limit)
    beyond = np.linspace(start, last, _CENSORED)[1:]
    trend = curve.line(beyond) + curve.extra_slope * (beyond - start)
    mean = np.append(means[free], beyond)
    sigma = np.sqrt(np.append(variances[free], trend))
    sigma = np.maximum(sigma, _TINY)
    z = (limit - mean) / sigma
    below, density = ndtr(z), np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    away = z * below + density
    power = (z**2 + 1) * below + z * density - away**2
    shown = np.append(limit - sigma * away, limit)
    spread = np.append(np.maximum(sigma**2 * power, 0.0), 0.0)
    order = np.argsort(shown, kind="stable")
    return replace(
        curve, intensities=tuple(shown[order]), variances=tuple(spread[order])
    )


def measure_level_function(
    plane_yx: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> NoiseLevelFunction | None:
    """Measure the noise variance as a function of the intensity.

    Patches are binned by the mean of their surroundings, whose noise is independent of
    their own. Binned by their own mean, the slope would be biased low at few photons.
    In each bin, patches whose low-frequency energy exceeds that of noise are rejected
    as texture, iteratively (after Liu, Tanaka, Okutomi, IEEE TIP 2013). The smallest
    variances of the high frequencies are the noise variance (after Ponomarenko et al.,
    VCIP 2007). A line is then fitted robustly to the bins.

    Parameters
    ----------
    plane_yx : ndarray, shape (Y, X)
        Intensities with white noise; for correlated noise, a white sub-lattice.
    valid_yx : ndarray of bool, shape (Y, X)
        Patches with an invalid pixel are left out.

    Returns
    -------
    NoiseLevelFunction or None
        In the image's units; None if there are too few patches.
    """
    for side in _SIDES:
        if min(plane_yx.shape) < 2 * side:
            continue
        places = PatchPlaces.of(fill_invalid(plane_yx, valid_yx), valid_yx, side)
        count = len(places.surroundings)
        groups = min(count // (_PATCHES_PER_VALUE * side**2), _GROUPS[1])
        if groups >= _GROUPS[0]:
            least = _PATCHES_PER_VALUE * side**2 // _FEWER
            return _curve(places, by_root_intensity(places.surroundings, groups, least))
    return None


def fill_invalid(
    plane_yx: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> NDArray[np.floating]:
    """Return the plane with invalid pixels replaced by the mean of the valid ones."""
    mean = float(plane_yx[valid_yx].mean()) if valid_yx.any() else 0.0
    return np.where(valid_yx, plane_yx, mean)


def _curve(
    places: PatchPlaces, groups: Sequence[NDArray[np.intp]]
) -> NoiseLevelFunction | None:
    """Measure the bins, with iterative rejection of texture.

    Texture is detected in the low frequencies and noise is measured in the high ones.
    Selection on the measured frequencies would reject patches with strong noise and
    bias the level low.
    """
    bins = [PatchBin.of(places, which) for which in groups]
    kept = [one.energy <= _FAR * np.median(one.energy) for one in bins]
    tiny = float(np.finfo(float).tiny)
    curve: NoiseLevelFunction | None = None
    for _ in range(_ROUNDS):
        table = [one.noise(some) for one, some in zip(bins, kept, strict=True)]
        known = [row for row in table if row is not None]
        if len(known) < _GROUPS[0]:
            return curve
        curve = _fit_line(np.array(known))
        for number, (one, row) in enumerate(zip(bins, table, strict=True)):
            if row is None:
                kept[number][:] = False
                continue
            mean, variance, kurtosis, _ = row
            # The bin's variance, scaled along the line to the mean of each patch.
            ends = curve.line(np.array([mean]))[0]
            expected = variance * curve.line(one.means) / max(ends, tiny)
            spread = math.sqrt((2 + kurtosis) / one.low_count)
            kept[number] = one.energy <= expected * (1 + _TEXTURE * spread)
    return curve


def _slope_error(
    columns: NDArray[np.float64],
    weight: NDArray[np.float64],
    residual: NDArray[np.float64],
) -> float:
    """Return the standard error of a fit's first coefficient, from its residuals."""
    inverse = np.linalg.pinv((columns * weight[:, None]).T @ columns)
    free = max(len(residual) - columns.shape[1], 1)
    scatter = float((weight * residual**2).sum()) / free
    return math.sqrt(max(float(inverse[0, 0]) * scatter, 0.0))


def lower_line(
    intensities: NDArray[np.float64],
    variances: NDArray[np.float64],
    counts: NDArray[np.float64],
) -> Line:
    """Fit a line to the bins, nearer to the lower ones; their mean is above 0."""
    usual = float(np.average(variances, weights=counts))
    unit = float(np.abs(intensities).max()) or 1.0
    columns = np.stack([intensities / unit, np.ones_like(intensities)], axis=1)
    fitted, weights = np.full(len(variances), float(np.median(variances))), counts
    fitted = np.maximum(fitted, _LEAST_LINE * usual)
    slope, intercept = 0.0, usual
    for _ in range(_LINE_ROUNDS):
        scale = np.sqrt(weights) / fitted
        slope, intercept = np.linalg.lstsq(
            columns * scale[:, None], variances * scale, rcond=None
        )[0]
        if slope < 0:
            slope, intercept = 0.0, float(np.average(variances, weights=weights))
        line = np.maximum(columns @ (slope, intercept), _LEAST_LINE * usual)
        fitted = (fitted + line) / 2
        off = np.log(np.maximum(variances, _TINY * usual) / line)
        side = np.where(off > 0, _LOWER, 1 - _LOWER)
        weights = counts * side / (np.abs(off) + 0.05)
    return Line(slope / unit, float(intercept), _LEAST_LINE * usual)


def _robust_fit(
    columns: NDArray[np.float64],
    variance: NDArray[np.float64],
    count: NDArray[np.float64],
    floor: float,
) -> tuple[NDArray[np.float64], float]:
    """Fit the bins, weighted by the precision of their variances.

    Returns
    -------
    parts : ndarray
        Coefficients of the columns.
    error : float
        Standard error of the first one.
    """
    weight = count * (floor / np.maximum(variance, floor)) ** 2
    for _ in range(30):
        root = np.sqrt(weight)[:, None]
        parts = np.linalg.lstsq(columns * root, variance * root[:, 0], rcond=None)[0]
        fitted = np.maximum(columns @ parts, floor)
        off = np.abs(variance - fitted) / fitted
        # Robust: large deviations (texture, clipping) count linearly, not squared.
        weight = (
            count
            * (floor / fitted) ** 2
            / np.maximum(1, off / (1.48 * np.median(off) + 1e-3))
        )
    error = _slope_error(columns, weight, variance - fitted)
    return np.asarray(parts, dtype=np.float64), error


def _fit_line(table: NDArray[np.float64]) -> NoiseLevelFunction:
    """Fit a line to the bins, and the slope above them if they follow a parabola."""
    table = table[np.argsort(table[:, 0], kind="stable")]
    mean, variance, _, count = table.T
    variance = np.maximum(variance, 0.0)  # rounding errors without noise
    floor = float(variance.mean()) * _MIN_FRACTION
    if floor == 0:
        return NoiseLevelFunction(0.0, 0.0, tuple(mean), tuple(variance))
    start, unit = float(mean[0]), float(np.ptp(mean)) or 1.0
    terms = np.vander((mean - start) / unit, 3)
    (slope, intercept), error = _robust_fit(terms[:, 1:], variance, count, floor)
    if slope <= _SIGNIFICANT * error:
        slope, intercept = 0.0, float(np.average(variance, weights=count))
        if variance[-1] > _STEEP * intercept:
            # Few bright patches, with texture: their noise is at most what they vary.
            line = lower_line(mean - start, variance, count)
            slope, intercept = line.slope * unit, line.intercept
    trend, extra_slope = np.array([0.0, slope, intercept]), 0.0
    parabola, error = _robust_fit(terms, variance, count, floor)
    if parabola[0] > error * stdtrit(len(mean) - 3, 1 - _CHANCE):
        trend = parabola
        extra_slope = max(float(2 * trend[0] * terms[-2, 1] + trend[1] - slope), 0.0)
    # The fewer patches a bin has, the more it follows the others.
    own = np.minimum(count / np.median(count), 1.0)
    variance = own * variance + (1 - own) * np.maximum(terms @ trend, floor)
    return NoiseLevelFunction(
        slope / unit,
        float(intercept - slope * start / unit),
        tuple(mean),
        tuple(variance),
        extra_slope=extra_slope / unit,
    )
