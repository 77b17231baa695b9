"""Fixed pattern of a camera: offsets that stay in place over a stack."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import (
    convolve,
    gaussian_filter,
    gaussian_filter1d,
    maximum_filter,
    median_filter,
    uniform_filter,
)

MOST_PLANES = 16
"""Number of planes from which the pattern is estimated."""
FEWEST_PLANES = 4
"""Smallest number of planes for the offsets of rows and columns."""
_FEWEST_FOR_PIXELS = 8
"""Smallest number of planes for the offsets of pixels."""
_FEWEST_LINES = 48
"""Smallest side of a plane, in pixels."""
_CLIPPED = 5.0
"""Deviation from the surroundings, in standard deviations, at which it is clipped."""
_SEGMENTS, _MOST_ALONG = 4, 512
"""Segments of a line that measure its offset, and about the largest number of pixels of
a line that are used."""
_SMOOTH = 2.0
"""Standard deviation, in lines, of the blur that takes structure out of offsets."""
_BANDS = 8
"""Number of frequency bands up to the Nyquist frequency."""
_LOW, _HIGH = 2, 6
"""Bands below which structure is not told from a pattern, and from which on light has
next to no power."""
_SIGNIFICANT = 6.0
"""Power of a pattern, in standard errors, from which it is removed."""
_FLAT, _ERRORS = 1.5, 4.0
"""Power of any band over that of the highest ones up to which it is a pattern, and
standard errors that are allowed beside."""
_WARM, _SHARP = 8.0, 0.5
"""Height of a warm pixel in standard deviations of the mean, and sum of its four
neighbours over itself below which it is sharper than light. This is 1 for a spot of 0.6
pixels."""
_Profiles = NDArray[np.float64]
_SIDE = 512
"""Largest side, in pixels, of the part whose spectrum tells the offsets of pixels."""
_HIGHEST, _MIDDLE, _LINES = 0.375, 0.25, 0.05
"""Frequencies in cycles per pixel: along both axes above which light has next to no
power; above which the sharpest light has power; along one axis below which lines have.
"""
_OF_LIGHT = 0.1
"""Power of a spot of 0.6 pixels at the highest over that at middle frequencies."""
_ALIKE = 4.4
"""Frequencies that are not independent: two halves, and neighbours under the window."""
_POINT = 4.0
"""Height in standard deviations of the mean from which a point is left out."""
_SLOW = 1.0
"""Standard deviation, in pixels, of the blur that is taken off."""
_CERTAIN = 4.0
"""Power of the offsets of pixels, in standard errors, from which they are told."""
_FLAT_PIXELS = 0.6
"""Least power of offsets at the highest over that at middle frequencies, for them to be
told from fine structure that stays in place."""
_TO_STD = 1.4826
_TO_STD_OF_MEAN = 1.2533


@dataclass(frozen=True)
class FixedPattern:
    """The fixed pattern of a stack; all values are in the image's units.

    Attributes
    ----------
    offsets_yxs : ndarray, shape (Y, X, samples)
        Pattern to subtract from each plane: offsets of rows, columns and warm
        pixels.
    pixel_stds : tuple of float
        Standard deviation, for each sample, of the offsets that all pixels have beside.
        The planes do not suffice to tell them one by one.
    pixel_share : float
        Share of the noise power of a plane that these offsets have; of the samples, the
        largest. 0 where their spectrum is not flat: it may be that of fine structure.
    """

    offsets_yxs: NDArray[np.float64] = field(repr=False)
    pixel_stds: tuple[float, ...]
    pixel_share: float


def fixed_pattern(
    planes: Iterable[tuple[NDArray[np.float64], NDArray[np.bool_]]],
) -> FixedPattern | None:
    """Return the offsets of rows, columns and single pixels in the mean of planes.

    A pattern is sharper than anything that light can form. A sample that does not move
    is therefore not removed.

    Parameters
    ----------
    planes : iterable of (values_yxs, valid_yx)
        Planes of one shape (Y, X, samples), taken one by one, with their valid pixels.

    Returns
    -------
    FixedPattern or None
        None if nothing is found.
    """
    found = _Planes()
    for values, valid in planes:
        found.add(values, valid)
    if found.count < FEWEST_PLANES or min(found.numbers.shape) < _FEWEST_LINES:
        return None
    known = 2 * found.numbers > found.count
    pattern = np.zeros_like(found.totals)
    for sample in range(pattern.shape[-1]):
        rows, columns = (
            _line_offsets(np.array([plane[sample] for plane in found.profiles[axis]]))
            for axis in (0, 1)
        )
        lines = rows[:, None] + columns[None, :]
        pattern[..., sample] = lines
        if found.count >= _FEWEST_FOR_PIXELS:
            mean = np.full(known.shape, np.nan)
            np.divide(found.totals[..., sample], found.numbers, out=mean, where=known)
            pattern[..., sample] += _warm_pixels(mean - lines)
    pattern[~known] = 0.0
    stds, shares = zip(*found.pixel_offsets(pattern), strict=True)
    if not (pattern.any() or any(stds)):
        return None
    return FixedPattern(pattern, stds, max(shares))


class _Planes:
    """Sums and line profiles of the planes, so that no plane stays in memory.

    Attributes
    ----------
    count : int
        Number of planes.
    totals : ndarray, shape (Y, X, samples)
        Sum of the values at valid pixels, without what stands out in single planes.
    numbers : ndarray of int, shape (Y, X)
        Number of planes in which a pixel is valid.
    profiles : tuple of two lists
        For rows and for columns, an array (samples, segments, lines) of each plane.
    middles : list of ndarray of float32
        The middle of each plane, (Y, X, samples).
    """

    def __init__(self) -> None:
        self.count = 0
        self.totals: NDArray[np.float64]
        self.numbers: NDArray[np.int64]
        self.profiles: tuple[list[_Profiles], list[_Profiles]] = ([], [])
        self.middles: list[NDArray[np.float32]] = []

    def add(self, values_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_]) -> None:
        """Add a plane, unless most pixels equal those around: noise is not known."""
        clipped = _clipped(values_yxs, valid_yx)
        if clipped is None:
            return
        clipped[~valid_yx] = 0.0
        self.middles.append(clipped[_middle(clipped.shape)].astype(np.float32))
        if self.count:
            self.totals += clipped
            self.numbers += valid_yx
        else:
            self.totals, self.numbers = clipped, valid_yx.astype(np.int64)
        self.count += 1
        for axis, profiles in enumerate(self.profiles):
            samples = np.where(valid_yx[..., None], values_yxs, np.nan)
            lines = np.moveaxis(samples, (2, 1 - axis, axis), (0, 1, 2))
            profiles.append(np.array([_profiles(one) for one in lines]))

    def pixel_offsets(
        self, pattern_yxs: NDArray[np.float64]
    ) -> list[tuple[float, float]]:
        """Return the size of the offsets that all pixels have beside a pattern.

        Noise of the pixels differs from plane to plane. What planes share at the
        highest frequencies is a pattern, less the part that the sharpest light has
        there if all that they share at middle frequencies is light.

        Returns
        -------
        list of (float, float)
            For each sample the standard deviation, 0 where it is within its error; and
            its square as a share of the noise of a plane with these offsets, 0 where
            the spectrum of the offsets is not flat.
        """
        middle = _middle(self.numbers.shape)
        if (self.numbers[middle] < self.count).any():
            return [(0.0, 0.0)]
        planes = np.array(self.middles) - pattern_yxs[middle].astype(np.float32)
        return [_pixel_offsets(planes[..., k]) for k in range(planes.shape[-1])]


def _pixel_offsets(planes: NDArray[np.float32]) -> tuple[float, float]:
    """Return the size of what single pixels share over planes (N, Y, X).

    As for a sample of `_Planes.pixel_offsets`.
    """
    count, height, width = planes.shape
    mean = planes.mean(axis=0, dtype=np.float64)
    size = np.abs(mean - median_filter(mean, 5, mode="mirror"))
    # Single points are no pattern, whether of light or of the camera.
    point = maximum_filter(size > _POINT * _TO_STD * np.median(size), 5)
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])
    window *= 1 - gaussian_filter(maximum_filter(point, 3).astype(float), 1.0)
    window /= math.sqrt(np.square(window).sum())
    total, power = np.zeros((height, width), complex), np.zeros((height, width))
    for plane in planes:
        # Without slow changes, or points would leave holes with edges.
        spectrum = np.fft.fft2(window * (plane - gaussian_filter(plane, _SLOW)))
        total += spectrum
        power += np.square(np.abs(spectrum))
    shared = (np.square(np.abs(total)) - power) / (count * (count - 1))
    along = np.abs(np.fft.fftfreq(height))[:, None]
    across = np.abs(np.fft.fftfreq(width))
    lower, higher = np.minimum(along, across), np.maximum(along, across)
    radius = np.hypot(along, across)
    highest = shared[lower > _HIGHEST]
    middle = (radius > _MIDDLE) & (higher <= _HIGHEST) & (lower > _LINES)
    kept = 1 - np.exp(-2 * np.square(np.pi * _SLOW * radius[middle]))
    power_high = float(highest.mean())
    power_middle = float(np.mean(shared[middle] / np.square(kept)))
    without_light = (power_high - _OF_LIGHT * power_middle) / (1 - _OF_LIGHT)
    own = min(without_light, power_high)
    error = float(highest.std()) / math.sqrt(len(highest) / _ALIKE)
    if own <= _CERTAIN * error:
        return 0.0, 0.0
    flat = own > _FLAT_PIXELS * power_middle
    share = own * count / float(power[lower > _HIGHEST].mean())
    return math.sqrt(own), share if flat else 0.0


def _middle(shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the window of the middle of a plane (Y, X, ...); all of a small one."""
    top, left = (max(size - _SIDE, 0) // 2 for size in shape[:2])
    return slice(top, top + _SIDE), slice(left, left + _SIDE)


def _clipped(
    values_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """Return a plane in which pixels do not stand far out of those around.

    Bright points that move, and cosmic rays, then leave next to no trace in a mean.
    None if there is no valid pixel, or if most equal those around.
    """
    if not valid_yx.any():
        return None
    filled = np.where(
        valid_yx[..., None], values_yxs, np.median(values_yxs[valid_yx], axis=0)
    )
    size = (3, 3, 1)
    around = (9 * uniform_filter(filled, size, mode="mirror") - filled) / 8
    away = filled - around
    limit = _CLIPPED * _TO_STD * np.median(np.abs(away[valid_yx]), axis=0)
    return np.asarray(around + np.clip(away, -limit, limit)) if limit.all() else None


def _profiles(lines: NDArray[np.float64]) -> _Profiles:
    """Return how far each line lies above those beside it, in some segments.

    Parameters
    ----------
    lines : ndarray, shape (pixels, lines)
        Values along the lines; NaN where invalid.

    Returns
    -------
    ndarray, shape (segments, lines)
        Medians; 0 where a segment has no valid pixel.
    """
    lines = lines[:: max(len(lines) // _MOST_ALONG, 1)]
    usable = np.isfinite(lines).any(axis=0)
    middle = np.nanmedian(np.where(usable, lines, 0.0), axis=0)
    away = np.abs(middle - median_filter(middle, 5, mode="mirror"))
    # Single lines, as at the border of a camera, are left to each plane.
    single = away > _CLIPPED * _TO_STD * np.median(away)
    known = np.isfinite(lines) & ~single
    weights = gaussian_filter1d(known.astype(float), _SMOOTH, axis=1)
    smooth = gaussian_filter1d(np.where(known, lines, 0.0), _SMOOTH, axis=1)
    deviations = lines - smooth / np.maximum(weights, 1e-9)
    parts = np.array_split(np.where(known, deviations, np.nan), _SEGMENTS)
    filled = [np.where(np.isfinite(one).any(axis=0), one, 0.0) for one in parts]
    return np.array([np.nanmedian(one, axis=0) for one in filled])


def _line_offsets(profiles: _Profiles) -> NDArray[np.float64]:
    """Return the offset of each line; zeros where there is no pattern.

    All segments of a line share its offset, in all planes. If it is a pattern, the
    power that they share is the same at all frequencies across the lines. Light, which
    the microscope blurs, has next to none at the highest ones. Noise of lines that
    differs from plane to plane is not shared.

    Parameters
    ----------
    profiles : ndarray, shape (planes, segments, lines)
        See `_profiles`.
    """
    planes, segments, count = profiles.shape
    frequency = np.linspace(0.0, 1.0, count // 2 + 1)
    response = 1 - np.exp(-np.square(np.pi * frequency * _SMOOTH) / 2)
    response[0] = np.inf
    spectra = np.fft.rfft(profiles) / response
    band = np.minimum((frequency * _BANDS).astype(int), _BANDS - 1)
    counts = np.bincount(band, minlength=_BANDS)

    def power_of(spectra: NDArray[np.complex128]) -> NDArray[np.float64]:
        power = np.square(np.abs(spectra)).reshape(-1, len(band)).mean(axis=0)
        return np.asarray(np.bincount(band, power, _BANDS) / counts)

    # The mean product of all pairs that differ in plane and in segment.
    of_mean, each = power_of(spectra.mean(axis=(0, 1))), power_of(spectra)
    of_plane, of_segment = power_of(spectra.mean(1)), power_of(spectra.mean(0))
    shared = planes * segments * of_mean - planes * of_segment - segments * of_plane
    shared = (shared + each) / ((planes - 1) * (segments - 1))
    # What planes share within a segment, or segments within a plane, is chance, too.
    error = np.hypot(
        np.maximum(of_segment - shared, 0.0) / math.sqrt(segments * (segments - 1)),
        np.maximum(of_plane - shared, 0.0) / math.sqrt(planes * (planes - 1)),
    ) / np.sqrt(counts)
    high = counts[_HIGH:]
    power = float(np.average(shared[_HIGH:], weights=high))
    chance = float(np.sqrt(np.sum((error[_HIGH:] * high) ** 2)) / high.sum())
    allowed = _FLAT * power + _ERRORS * (error + power / np.sqrt(counts))
    excess = np.maximum(shared - allowed, 0.0)
    if power <= _SIGNIFICANT * chance or excess[_LOW:].any():
        return np.zeros(count)
    mean = spectra.mean(axis=(0, 1))
    others = excess + np.maximum(of_mean - shared, 0.0)
    return np.asarray(np.fft.irfft((power / (power + others))[band] * mean, count))


def _warm_pixels(mean_yx: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the offsets of single pixels that are sharper than light; 0 elsewhere."""
    filled = np.where(np.isfinite(mean_yx), mean_yx, np.nanmedian(mean_yx))
    away = filled - median_filter(filled, 5, mode="mirror")
    size = np.abs(away)
    around = (81 * uniform_filter(size, 9) - 9 * uniform_filter(size, 3)) / 72
    std = np.maximum(_TO_STD * np.median(size), _TO_STD_OF_MEAN * around)
    peak = (size > _WARM * std) & (size >= maximum_filter(size, 3)) & (std > 0)
    beside = convolve(away, [[0, 1, 0], [1, 0, 1], [0, 1, 0]], mode="mirror")
    return np.where(peak & (np.sign(away) * beside < _SHARP * size), away, 0.0)
