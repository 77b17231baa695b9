"""Put back the noise that JPEG compression has removed.

JPEG rounds the cosine transform of each block of 8x8 pixels to multiples of a step, one
for each frequency (ITU-T T.81, 1992). Noise below half a step is rounded to zero. What
is left is correlated, and blocks with structure keep more of it than others: no noise
model holds. But each coefficient is known to half a step. How strong the noise was can
be measured, by the share of the coefficients that it took beyond half a step. So each
coefficient is drawn again, from the values that it can have had. The plane then has
white noise, as it had before the compression.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn
from scipy.ndimage import uniform_filter
from scipy.special import ndtr, ndtri

from napari_inr_denoise.core.noise.level.intensity_bins import by_root_intensity
from napari_inr_denoise.core.noise.level.level_function import Line, lower_line

_BLOCK = 8
_MOST_VALUES = 256
"""Largest number of different values of a plane that was stored with eight bits."""
_SAMPLED = 65_536
"""Pixels among which these values are looked for."""
_TILE, _TILES = 64, 4
"""Side of the tiles in which blocks are looked for, and their number along an axis."""
_STANDS_OUT = 0.05
"""Difference of the mean logarithm of the power at high frequencies between the true
position of the blocks and the next best one. Without compression it is about 0.01; with
a quality of 90 it is 0.7 and more, with 20 and a dark background 0.1."""
_ROUNDED = 3.0
"""Largest distance of a coefficient from a multiple of its step, in grey levels. Pixels
are rounded after the compression; in blocks of a single frequency, all alike."""
_LARGE, _NEAR, _FEWER_FAR = 2.0, 1.2, 0.4
"""Grey levels above which a coefficient is not zero and within which it is a multiple,
and largest share of the coefficients farther away, over that of any coefficients."""
_EVIDENCE = 8.0
"""Smallest negative logarithm of the chance that so many coefficients are near."""
_LEAST_STEP, _FEWEST = 3, 3
"""Smallest step that is measured, and smallest number of coefficients that tell it."""
_FEWEST_STEPS = 5
"""Smallest number of frequencies whose step is known. They must also be half of those
at which there are coefficients: structure with a period of eight pixels has a few."""
_MOST_BLOCKS = 4096
"""Blocks from which steps and noise are measured."""
_BINS, _BIN_BLOCKS = 12, 40
_SHARE, _QUANTILE = 0.4, 0.35
"""Share of the coefficients whose spread is measured, and quantile of the variances at
all frequencies. Structure only adds to them."""
_FEWEST_KNOWN, _LEAST_HIGH = 24, 0.8
"""Smallest number of frequencies, and power of the noise in the highest third of them
over that of white noise, below which it was correlated before the compression. White
noise has 0.9 and more on micrographs, but for one; noise that was shifted by half a
pixel or blurred mostly has 0.35 to 0.8."""
_LEAST_CHANGE = 0.05
"""Smallest change of the plane, over the noise, for which it is changed."""

_INDEX = np.add.outer(np.arange(_BLOCK), np.arange(_BLOCK))
_HIGH, _USED = _INDEX >= 6, _INDEX >= 2
_TINY = 1e-12


@dataclass(frozen=True)
class JpegBlocks:
    """Blocks of a compressed plane, and how their transform was rounded.

    Attributes
    ----------
    top, left : int
        First row and column of a block, 0 to 7.
    unit : float
        Difference of two grey levels, in the image's units.
    steps_kk : ndarray, shape (8, 8)
        Step at each frequency, vertical first, in the image's units. Infinite where
        all coefficients are zero; 0 where it is small or not known.
    """

    top: int
    left: int
    unit: float
    steps_kk: NDArray[np.float64] = field(repr=False)


def without_jpeg_rounding(
    values_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
    """Return a plane with the noise that it had before it was compressed.

    Parameters
    ----------
    values_yxs : ndarray, shape (Y, X, samples)
        Intensities. Planes of several samples stay as they are: JPEG rounds their
        luminance and colours by other steps, and on coarser blocks.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels to use. Blocks with an invalid pixel stay as they are.

    Returns
    -------
    values_yxs : ndarray, shape (Y, X, samples)
        The plane, the same for the same input.
    change_yxs : ndarray, shape (Y, X, samples), or None
        What was subtracted from the intensities; None if the plane is not compressed,
        or its noise is not known.
    """
    if values_yxs.shape[-1] != 1:
        return values_yxs, None
    plane = values_yxs[..., 0]
    blocks = find_jpeg_blocks(plane, valid_yx)
    if blocks is None:
        return values_yxs, None
    whole = _all_of(_cut(valid_yx[blocks.top :, blocks.left :]))
    noise = _noise(blocks, plane, whole)
    if noise is None:
        return values_yxs, None
    change = _change(blocks, plane, whole, noise)
    level = float(np.sqrt(noise(plane[valid_yx]).mean()))
    if np.sqrt(np.mean(change[valid_yx] ** 2)) < _LEAST_CHANGE * level:
        return values_yxs, None
    return values_yxs - change[..., None], change[..., None]


def find_jpeg_blocks(
    plane_yx: NDArray[np.float64], valid_yx: NDArray[np.bool_]
) -> JpegBlocks | None:
    """Return the blocks of a plane that was compressed; None for any other plane.

    Parameters
    ----------
    plane_yx : ndarray, shape (Y, X)
        Intensities with up to 256 evenly spaced values.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels to use.
    """
    if min(plane_yx.shape) < _TILE:
        return None
    unit = _grey_level(plane_yx, valid_yx)
    position = None if unit is None else _position(plane_yx, valid_yx, unit)
    if unit is None or position is None:
        return None
    top, left = position
    valid = _all_of(_cut(valid_yx[top:, left:]))
    pixels = _sampled(_cut(plane_yx[top:, left:]), valid)
    # Where values were cut off, coefficients are no multiples any more.
    inside = (pixels > plane_yx.min()) & (pixels < plane_yx.max())
    whole = _all_of(inside)
    coefficients = dctn(pixels[whole], axes=(-1, -2), norm="ortho") / unit
    steps = np.full((_BLOCK, _BLOCK), np.inf)
    for row, column in zip(*np.nonzero(_INDEX), strict=True):
        steps[row, column] = _step(np.abs(coefficients[:, row, column]))
    known, unknown = (np.isfinite(steps) & (steps > 0)).sum(), (steps == 0).sum()
    if known < max(_FEWEST_STEPS, unknown):
        return None
    steps[0, 0] = 0.0  # the mean is kept
    return JpegBlocks(top, left, unit, steps * unit)


def _grey_level(
    plane_yx: NDArray[np.float64], valid_yx: NDArray[np.bool_]
) -> float | None:
    """Return the difference of two grey levels; None if there are more than 256."""
    values = plane_yx[valid_yx]
    different = np.unique(values[:: len(values) // _SAMPLED + 1])
    if not 2 < len(different) <= _MOST_VALUES:
        return None
    gaps = np.diff(different)
    unit = float(gaps.min())
    uneven = np.abs(gaps / unit - np.rint(gaps / unit)).max()
    few = (different[-1] - different[0]) / unit < _MOST_VALUES
    return unit if few and uneven < 1e-3 else None


def _position(
    plane_yx: NDArray[np.float64], valid_yx: NDArray[np.bool_], unit: float
) -> tuple[int, int] | None:
    """Return the first row and column of a block; None if no position stands out."""
    corners = [
        np.unique(np.linspace(0, size - _TILE, _TILES).astype(int) // _BLOCK * _BLOCK)
        for size in plane_yx.shape
    ]
    tiles = [
        (slice(top, top + _TILE), slice(left, left + _TILE))
        for top in corners[0]
        for left in corners[1]
    ]
    tiles = [one for one in tiles if valid_yx[one].all() and np.ptp(plane_yx[one]) > 0]
    if not tiles:
        return None
    pixels = np.stack([plane_yx[one] for one in tiles])
    inner = _TILE - _BLOCK
    powers = np.empty((_BLOCK, _BLOCK))
    for top, left in np.ndindex(powers.shape):
        part = pixels[:, top : top + inner, left : left + inner]
        squares = np.square(_transformed(part)[..., _HIGH])
        powers[top, left] = np.log(squares + unit**2).mean()
    least, following = np.partition(powers.ravel(), 1)[:2]
    if following - least < _STANDS_OUT:
        return None
    top, left = np.unravel_index(powers.argmin(), powers.shape)
    return int(top), int(left)


def _step(coefficients: NDArray[np.float64]) -> float:
    """Return the step of one frequency, from absolute values in grey levels (N,)."""
    large = coefficients[coefficients > _LARGE]
    if len(large) < _FEWEST:
        return np.inf
    steps = np.arange(_LEAST_STEP, int(large.max() + _NEAR) + 1)[:, None]
    multiples = np.rint(large / steps)
    near = (np.abs(large - steps * multiples) < _NEAR) & (multiples > 0)
    share, chance = near.mean(axis=1), 2 * _NEAR / steps[:, 0]
    few_far = 1 - share < _FEWER_FAR * (1 - chance)
    significant = near.sum(axis=1) * np.log(1 / chance) > _EVIDENCE
    possible = np.flatnonzero(few_far & significant)
    if not len(possible):
        return 0.0
    # A step slightly above the true one is possible as well, if multiples are small.
    last = possible[-1]
    return float(np.median(large[near[last]] / multiples[last, near[last]]))


def _noise(
    blocks: JpegBlocks, plane_yx: NDArray[np.float64], whole: NDArray[np.bool_]
) -> Line | None:
    """Return the variance of the noise before the compression, over the intensity.

    In each bin of blocks, a low quantile over the frequencies counts: structure only
    adds to the variances. None if the noise is not known, or was correlated before.
    """
    some = _sampled(_cut(plane_yx[blocks.top :, blocks.left :]), whole)
    coefficients = dctn(some, axes=(-1, -2), norm="ortho")
    means = coefficients[:, 0, 0] / _BLOCK
    used = _USED & np.isfinite(blocks.steps_kk) & (blocks.steps_kk > 0)
    steps = blocks.steps_kk[used]
    multiples = np.abs(np.rint(coefficients[:, used] / steps))
    if len(means) < _BIN_BLOCKS:
        return None
    rows, spectra = [], []
    for members in by_root_intensity(means, _BINS, _BIN_BLOCKS):
        variances, weights = _variances(multiples[members], steps)
        if not weights.any():
            continue
        order = np.argsort(variances)  # NaN last
        sums = np.cumsum(weights[order]) / weights.sum()
        variance = variances[order][(sums >= _QUANTILE).argmax()]
        rows.append((means[members].mean(), variance, weights.sum()))
        spectra.append(variances)
    if not rows:
        return None
    line = lower_line(*np.array(rows).T)
    expected = line(np.array(rows)[:, 0])
    relative = np.array(spectra) / expected[:, None]
    seen = np.isfinite(relative).any(axis=0)
    power = np.nanmedian(relative[:, seen], axis=0)
    return None if _falls(power, _INDEX[used][seen]) else line


def _variances(
    multiples: NDArray[np.float64], steps: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variance at each frequency, in squared image units, and its weight.

    The share of the coefficients within half a step, or more steps, gives the standard
    deviation of a normal distribution.

    Parameters
    ----------
    multiples : ndarray, shape (N, frequencies)
        Absolute coefficients of N blocks, in steps.
    steps : ndarray, shape (frequencies,)
        Steps, in the image's units.

    Returns
    -------
    variances, weights : ndarray, shape (frequencies,)
        NaN and 0 where nearly all coefficients are the same.
    """
    count = len(multiples)
    limit = np.quantile(multiples, _SHARE, axis=0, method="higher")
    share = (multiples <= limit).mean(axis=0)
    known = share < 1 - 2 / count
    deviations = ndtri((1 + np.where(known, share, 0.5)) / 2)
    variances = (steps * (limit + 0.5) / deviations) ** 2
    weights = np.where(known, count * share * (1 - share), 0.0)
    return np.where(known, variances, np.nan), weights


def _falls(power: NDArray[np.float64], index: NDArray[np.intp]) -> bool:
    """Return whether the power of the noise falls towards high frequencies.

    Parameters
    ----------
    power : ndarray, shape (N,)
        Over that of white noise.
    index : ndarray of int, shape (N,)
        Sum of the vertical and horizontal frequency.
    """
    order = np.argsort(index, kind="stable")
    highest = power[order][-max(len(order) // 3, 1) :]
    return len(order) >= _FEWEST_KNOWN and float(np.median(highest)) < _LEAST_HIGH


def _change(
    blocks: JpegBlocks,
    plane_yx: NDArray[np.float64],
    whole: NDArray[np.bool_],
    noise: Line,
) -> NDArray[np.float64]:
    """Return the plane less one whose coefficients are drawn from all possible values.

    Before they were rounded, they had a normal distribution around zero: as wide as the
    noise where they are zero, and as those of the blocks around elsewhere, which then
    hold structure. Blocks that are cut by the edge of the plane get the noise of those
    beside them.
    """
    pixels = _cut(plane_yx[blocks.top :, blocks.left :])
    coefficients = dctn(pixels, axes=(-1, -2), norm="ortho")
    steps = np.where(blocks.steps_kk > 0, blocks.steps_kk, blocks.unit)
    finite = np.where(np.isfinite(steps), steps, np.finfo(np.float32).max)
    middle = finite * np.rint(coefficients / finite)
    rounded = np.abs(coefficients - middle) <= _ROUNDED * blocks.unit
    rounded &= blocks.steps_kk > 0
    sigma = np.sqrt(noise(coefficients[..., :1, :1] / _BLOCK))
    around = uniform_filter(middle**2, (3, 3, 0, 0), mode="nearest")
    spread = np.where(middle == 0, sigma, np.sqrt(np.maximum(around, sigma**2)))
    # Computed in the lower tail, where the distribution function is accurate.
    away, sign = np.abs(middle), np.where(middle > 0, -1.0, 1.0)
    below = ndtr((-away - finite / 2) / spread)
    width = ndtr((-away + finite / 2) / spread) - below
    random = np.random.default_rng(0).random(coefficients.shape)
    chance = np.clip(below + random * width, _TINY, 1 - _TINY)
    new = np.where(rounded, sign * spread * ndtri(chance), coefficients)
    change = pixels - idctn(new, axes=(-1, -2), norm="ortho")
    change[~whole] = 0.0
    rows, columns = (_BLOCK * count for count in whole.shape)
    inner = change.swapaxes(1, 2).reshape(rows, columns)
    starts, sizes = (
        (blocks.top, blocks.left),
        zip(plane_yx.shape, inner.shape, strict=True),
    )
    beside = [
        (first, size - own - first)
        for first, (size, own) in zip(starts, sizes, strict=True)
    ]
    return np.asarray(np.pad(inner, beside, mode="reflect"))


def _cut(plane_yx: NDArray[Any]) -> NDArray[Any]:
    """Return the whole blocks of one or more planes, (..., rows, columns, 8, 8)."""
    *planes, height, width = plane_yx.shape
    rows, columns = height // _BLOCK, width // _BLOCK
    whole = plane_yx[..., : rows * _BLOCK, : columns * _BLOCK]
    return whole.reshape(*planes, rows, _BLOCK, columns, _BLOCK).swapaxes(-3, -2)


def _all_of(blocks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return whether all pixels of each block are true."""
    return np.asarray(blocks.all(axis=(-1, -2)), dtype=np.bool_)


def _transformed(plane_yx: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the coefficients of the whole blocks of one or more planes."""
    return np.asarray(dctn(_cut(plane_yx), axes=(-1, -2), norm="ortho"))


def _sampled(
    blocks: NDArray[np.float64], whole: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return up to 4096 of the blocks that are whole, evenly spread, (N, 8, 8)."""
    numbers = np.flatnonzero(whole)
    numbers = numbers[:: len(numbers) // _MOST_BLOCKS + 1]
    return blocks.reshape(-1, _BLOCK, _BLOCK)[numbers]
