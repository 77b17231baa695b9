"""Noise that whole rows or columns share: row noise, column patterns, hot columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

_STANDS_OUT = 3.0
"""Spread of the lines' medians over that of white noise from which lines are removed.

Measured: 5 and more for a spread of 0.6 of the pixels' noise in 96 pixels; at most 2.0
on planes without such noise, correlated noise and nearly horizontal filaments included.
"""
_SINGLE, _MOST_SINGLE = 10.0, 0.03
"""Offset over the pixels' noise from which a single line is removed, and largest share
of such lines; more are structure."""
_SEGMENTS, _SAME = 4, 2.0
"""Segments of a line, and the largest spread of their medians about that of the line,
over the expected one. Noise of a line is the same along it; structure is not."""
_ALIKE, _MOST_SPREAD, _LEAST_OWN = 0.3, 3.0, 0.05
"""Smallest correlation of the medians of two segments over all lines, without what the
pixels' noise adds; the spreads at which a median is limited before; and the least part
of its power that is no noise. Measured: 0.42 and more with noise of lines that moved or
has 0.2 of the pixels' noise, at most 0.18 with filaments along the lines."""
_SMOOTH = 1.5
"""Standard deviation, in lines, of the blur that takes structure out of the medians."""
_ROUNDS = 3
_FEWEST = 32
"""Smallest number of lines, and of pixels in a line."""
_LEFT = 0.17
"""Power of the slow part that stays, over that of the part that is removed, for offsets
that are independent from line to line; from the response of the blur and the rounds."""
_MEDIAN_ERROR = 1.2533
"""Standard deviation of a median over that of a mean."""
_TO_STD = 1.4826


def line_noise(
    values_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """Return what whole rows and columns add to a plane, where it stands out.

    Slow changes from line to line cannot be told from structure and stay in the plane.

    Parameters
    ----------
    values_yxs : ndarray, shape (Y, X, samples)
        Intensities.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels to use.

    Returns
    -------
    ndarray, shape (Y, X, samples), or None
        In the image's units, with a mean of about 0; None if nothing stands out.
    """
    if min(valid_yx.shape) < _FEWEST or not valid_yx.any():
        return None
    total = np.zeros_like(values_yxs)
    for sample in range(values_yxs.shape[-1]):
        plane = np.where(valid_yx, values_yxs[..., sample], np.nan)
        for axis in (0, 1):
            lines = np.moveaxis(plane - total[..., sample], axis, 0)
            offsets = _offsets(np.ascontiguousarray(lines))
            total[..., sample] += np.expand_dims(offsets, 1 - axis)
    return total if total.any() else None


def line_noise_left(
    removed_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_], sigma: float
) -> NDArray[np.float64]:
    """Return the mean square of what is left of the offsets of rows and columns.

    Parameters
    ----------
    removed_yxs : ndarray, shape (Y, X, samples)
        From `without_structured_noise`. Single lines, single pixels and waves do not
        count.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels that were used.
    sigma : float
        Noise level of the pixels.

    Returns
    -------
    ndarray, shape (samples,)
        Slow changes from line to line, and the errors of the medians.
    """
    left = np.zeros(removed_yxs.shape[-1])
    for axis in (0, 1):
        offsets = np.median(removed_yxs, axis=1 - axis)
        away = np.abs(offsets - np.median(offsets, axis=0))
        power = (_TO_STD * np.median(away, axis=0)) ** 2
        counts = max(float(np.median(valid_yx.sum(axis=1 - axis))), 1.0)
        error = (_MEDIAN_ERROR * sigma) ** 2 / counts
        # Offsets are removed only where they stand out. What is less is of waves.
        left += np.where(power > _STANDS_OUT * error, _LEFT * power + error, 0.0)
    return left


def _offsets(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the offset of each line (N, pixels); zeros where nothing stands out."""
    nothing = np.zeros(len(lines))
    bent = lines[1:-1] - (lines[2:] + lines[:-2]) / 2
    counts = np.isfinite(bent).sum(axis=1)
    if np.median(counts) < _FEWEST:
        return nothing
    usable = counts > 0
    medians = np.zeros(len(bent))
    medians[usable] = _medians(bent[usable])
    pixels = _TO_STD * float(
        _medians(np.abs(bent - medians[:, None]).reshape(1, -1))[0]
    )
    expected = _MEDIAN_ERROR * pixels / np.sqrt(np.median(counts))
    if not expected > 0:
        return nothing
    spread = _TO_STD * float(np.median(np.abs(medians)))
    if spread > _STANDS_OUT * expected:
        return _all_lines(lines) if _same_along(bent, medians, pixels) else nothing
    return _single_lines(lines, pixels)


def _medians(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of the known values of each line.

    `nanmedian` takes ten times as long, also where all values are known.
    """
    known = np.isfinite(lines).all()
    return np.asarray((np.median if known else np.nanmedian)(lines, axis=1))


def _same_along(
    bent: NDArray[np.float64], medians: NDArray[np.float64], pixels: float
) -> bool:
    """Return whether lines differ alike in all their segments, but for noise."""
    parts = np.array_split(bent, _SEGMENTS, axis=1)
    counts = np.array([np.isfinite(part).sum(axis=1) for part in parts])
    usable = counts >= _FEWEST // _SEGMENTS
    profiles = np.full(usable.shape, np.nan)
    for profile, part, which in zip(profiles, parts, usable, strict=True):
        if which.any():
            profile[which] = _medians(part[which])
    if not usable.any():
        return False
    apart = np.abs(profiles - medians) * np.sqrt(counts)
    error = _MEDIAN_ERROR * pixels
    if _TO_STD * np.median(apart[usable]) > _SAME * error:
        return False
    # The median overlooks what only a few lines do, as filaments that change lines.
    most = _MOST_SPREAD * _TO_STD * float(np.median(np.abs(medians)))
    long = profiles[usable.mean(axis=1) > 0.5]
    long = np.clip(long[:, np.isfinite(long).all(axis=0)], -most, most)
    if min(long.shape) < 2:
        return True
    shared = np.cov(long)
    own = np.diag(shared) - error**2 / float(np.median(counts[usable]))
    own = np.maximum(own, _LEAST_OWN * np.diag(shared))
    return bool((shared >= _ALIKE * np.sqrt(np.outer(own, own))).all())


def _all_lines(lines: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the offsets of lines of which most have one."""
    known = np.isfinite(lines)
    usable = known.any(axis=1)
    offsets = np.zeros(len(lines))
    weights = gaussian_filter1d(known.astype(float), _SMOOTH, axis=0, mode="nearest")
    for _ in range(_ROUNDS):
        left = lines - offsets[:, None]
        blurred = gaussian_filter1d(
            np.where(known, left, 0.0), _SMOOTH, axis=0, mode="nearest"
        )
        away = left - blurred / np.maximum(weights, 1e-9)
        offsets[usable] += _medians(away[usable])
    return np.asarray(offsets - offsets[usable].mean())


def _single_lines(lines: NDArray[np.float64], pixels: float) -> NDArray[np.float64]:
    """Return the offsets of single lines that differ along their whole length.

    A filament along a line does not reach both borders, or is not even. The frame of an
    image, or the edge of an object at its border, differs on one side only.
    """
    padded = np.pad(lines, ((2, 2), (0, 0)), mode="reflect")
    around = np.stack([padded[:-4], padded[1:-3], padded[3:-1], padded[4:]])
    differ = lines - _median_of_four(around)
    offsets = np.zeros(len(lines))
    for number in _far_on_both_sides(lines, _SINGLE * pixels):
        line = differ[number]
        inside = np.isfinite(line)
        if inside.sum() < _FEWEST:
            continue
        away = line[inside]
        offset = float(np.median(away))
        even = _TO_STD * np.median(np.abs(away - offset)) < _SAME * pixels
        share = away / (offset or 1.0)
        whole = min(share[:2].mean(), share[-2:].mean()) > 0.5 and (share > 0).all()
        if even and whole:
            offsets[number] = offset
    many = np.count_nonzero(offsets) > max(_MOST_SINGLE * len(lines), 1)
    return np.zeros(len(lines)) if many else offsets


def _far_on_both_sides(lines: NDArray[np.float64], least: float) -> NDArray[np.intp]:
    """Return the lines that differ from one of the two next to them on each side.

    The line beside may be as bright, if two of them are next to each other.
    """
    away = np.full((2, 2, len(lines)), np.nan)
    for distance in (1, 2):
        change = lines[distance:] - lines[:-distance]
        known = np.isfinite(change).any(axis=1)
        medians = np.full(len(change), np.nan)
        medians[known] = _medians(change[known])
        away[0, distance - 1, distance:] = medians
        away[1, distance - 1, :-distance] = -medians
    farther = (np.fmax.reduce(sign * away, axis=1) for sign in (1, -1))
    return np.flatnonzero(
        np.any([(far > least).all(axis=0) for far in farther], axis=0)
    )


def _median_of_four(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median along the first axis, of length 4; NaN where one is."""
    a, b, c, d = values
    lower = np.maximum(np.minimum(a, b), np.minimum(c, d))
    upper = np.minimum(np.maximum(a, b), np.maximum(c, d))
    return np.asarray((lower + upper) / 2)
