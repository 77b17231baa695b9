"""Plane waves over a whole plane, as electrical interference leaves them in a scan."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft2, fftfreq
from scipy.ndimage import uniform_filter

from napari_inr_denoise.core.noise.level.level_function import fill_invalid

_MOST_WAVES, _MOST_TRIED = 6, 4
"""Largest number of waves, and of peaks that are examined for each."""
_FEWEST = 64
"""Smallest side of a plane, in pixels."""
_SEARCHED = 1024
"""Largest side of the central part in which waves are searched."""
_LONGEST = 24.0
"""Longest wave, in pixels. Longer ones are structure."""
_LOBE, _AROUND = 5, 13
"""Side of the peak that one wave makes in the windowed spectrum, and of the square
around it, in frequencies."""
_STANDS_OUT = 20.0
"""Power of a peak over the mean around it. Noise exceeds it once in 5e8 frequencies."""
_ALONE = 6.0
"""Power of a peak over the largest around it. Structure has no single frequency."""
_LARGEST = 3.0
"""Largest amplitude over the noise of a pixel; what stands out more is a grating."""
_TILES, _SAME, _MOST_ALIKE = 4, 0.5, 0.9
"""Parts of each side; how far the amplitude in a part may be from that of the plane,
relative to it, beside the noise; and in which share of the parts. Interference is the
same everywhere."""
_FINER = (0.25, 0.0625, 0.015625, 0.00390625)
"""Steps in which the frequency is refined, in frequencies of the spectrum."""
_TO_STD = 1.4826


@dataclass(frozen=True)
class _Wave:
    """A plane wave: frequency in cycles per pixel, and complex amplitude at (0, 0)."""

    down: float
    right: float
    amplitude: complex

    def over(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Return its values."""
        rows = 2 * self.amplitude * _phases(self.down, shape[0])
        columns = _phases(self.right, shape[1])
        values = np.outer(rows.real, columns.real)
        values -= np.outer(rows.imag, columns.imag)
        return np.asarray(values)


def interference(
    values_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """Return the plane waves that cross a whole plane, where they stand out.

    A wave makes one sharp peak in the spectrum of the plane, and has the same amplitude
    and phase everywhere. Structure has neither. A wave stronger than three times the
    noise of a pixel counts as structure, such as a grating, and so do waves where there
    is no other structure with as much contrast. One along rows or columns is left to
    `line_noise`.

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
        for _ in range(_MOST_WAVES):
            wave = _strongest(values_yxs[..., sample] - total[..., sample], valid_yx)
            if wave is None:
                break
            total[..., sample] += wave.over(valid_yx.shape)
        if not _beside_structure(values_yxs[..., sample], total[..., sample], valid_yx):
            total[..., sample] = 0.0
    total[~valid_yx] = 0.0
    return total if total.any() else None


def _strongest(
    plane_yx: NDArray[np.float64], valid_yx: NDArray[np.bool_]
) -> _Wave | None:
    """Return the wave that stands out most; None if there is none."""
    filled = fill_invalid(plane_yx, valid_yx).astype(np.float64)
    filled -= filled.mean()
    unit = float(filled.std())
    if not unit > 0:
        return None
    part = filled[tuple(_central(side) for side in filled.shape)] / unit
    rows, columns = part.shape
    power = np.abs(fft2(part * np.outer(np.hanning(rows), np.hanning(columns)))) ** 2
    around = _AROUND**2 * uniform_filter(power, _AROUND, mode="wrap")
    around -= _LOBE**2 * uniform_filter(power, _LOBE, mode="wrap")
    ratio = power * (_AROUND**2 - _LOBE**2) / np.maximum(around, 1e-300)
    down, right = fftfreq(rows)[:, None], fftfreq(columns)
    along = (abs(down) < 2 / rows) | (abs(right) < 2 / columns)
    # A chessboard is its own opposite, and has no phase.
    chessboard = (abs(down) > 0.5 - 2 / rows) & (abs(right) > 0.5 - 2 / columns)
    opposite = (right < 0) & (right > -0.5)
    slow = np.hypot(down, right) < 1 / _LONGEST
    ratio[slow | along | chessboard | opposite] = 0.0
    near = np.arange(_AROUND) - _AROUND // 2
    lobe = near[np.abs(near) <= _LOBE // 2]
    for _ in range(_MOST_TRIED):
        row, column = np.unravel_index(int(ratio.argmax()), ratio.shape)
        if not ratio[row, column] > _STANDS_OUT:
            return None
        square = np.ix_((row + near) % rows, (column + near) % columns)
        middle = np.ix_((row + lobe) % rows, (column + lobe) % columns)
        others = power[square]
        others[np.ix_(lobe + _AROUND // 2, lobe + _AROUND // 2)] = 0.0
        if power[row, column] >= _ALONE * others.max():
            start = float(down[row, 0]), float(right[column])
            wave = _fitted(filled, valid_yx, start)
            if _is_interference(filled - wave.over(filled.shape), valid_yx, wave):
                return wave
        ratio[middle] = 0.0
    return None


def _central(side: int) -> slice:
    """Return the part of an axis in which waves are searched."""
    first = max((side - _SEARCHED) // 2, 0)
    return slice(first, first + _SEARCHED)


def _fitted(
    plane_yx: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    start: tuple[float, float],
) -> _Wave:
    """Return the wave near a frequency that explains most of the valid pixels."""
    height, width = plane_yx.shape
    weights = np.outer(np.hanning(height), np.hanning(width)) * valid_yx
    total = weights.sum()
    weighted = (plane_yx - (plane_yx * weights).sum() / total) * weights
    units = [1 / min(side, _SEARCHED) for side in plane_yx.shape]

    def amplitude(frequencies: tuple[float, float]) -> complex:
        down, right = (
            np.conj(_phases(one, side))
            for one, side in zip(frequencies, plane_yx.shape, strict=True)
        )
        # Without BLAS, which would start threads.
        lines = np.einsum("yx,x->y", weighted, right)
        return complex(np.einsum("y,y->", lines, down) / total)

    best = start
    for step in _FINER:
        tried = [
            (best[0] + k * step * units[0], best[1] + m * step * units[1])
            for k in (-2, -1, 0, 1, 2)
            for m in (-2, -1, 0, 1, 2)
        ]
        best = max(tried, key=lambda one: abs(amplitude(one)))
    return _Wave(*best, amplitude(best))


def _is_interference(
    left_yx: NDArray[np.float64], valid_yx: NDArray[np.bool_], wave: _Wave
) -> bool:
    """Return whether a wave is weak beside the noise, and the same everywhere.

    Parameters
    ----------
    left_yx : ndarray, shape (Y, X)
        The plane without the wave.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels to use.
    wave : _Wave
        What was found.
    """
    noise = _noise(left_yx, valid_yx)
    if not 2 * abs(wave.amplitude) <= _LARGEST * noise:
        return False
    rows, columns = left_yx.shape
    mixed = np.outer(
        np.conj(_phases(wave.down, rows)), np.conj(_phases(wave.right, columns))
    )
    mixed *= np.where(valid_yx, left_yx - left_yx[valid_yx].mean(), 0.0)
    apart = []
    for down in np.array_split(np.arange(rows), _TILES):
        for right in np.array_split(np.arange(columns), _TILES):
            tile = slice(down[0], down[-1] + 1), slice(right[0], right[-1] + 1)
            count = int(valid_yx[tile].sum())
            if count >= len(down) * len(right) / 4:
                error = noise / math.sqrt(count)
                apart.append(abs(mixed[tile].mean()) * mixed[tile].size / count - error)
    most = float(np.quantile(apart, _MOST_ALIKE)) if apart else math.inf
    return most < _SAME * abs(wave.amplitude)


def _beside_structure(
    plane_yx: NDArray[np.float64],
    waves_yx: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
) -> bool:
    """Return whether waves are less than the other structure of a plane."""
    left = plane_yx - waves_yx
    structure = float(left[valid_yx].var()) - _noise(left, valid_yx) ** 2
    return structure > float(waves_yx[valid_yx].var())


def _noise(plane_yx: NDArray[np.float64], valid_yx: NDArray[np.bool_]) -> float:
    """Return the standard deviation of white noise, from second differences."""
    bent = plane_yx[1:-1] - (plane_yx[2:] + plane_yx[:-2]) / 2
    inside = valid_yx[1:-1] & valid_yx[2:] & valid_yx[:-2]
    if not inside.any():
        return 0.0
    return _TO_STD * float(np.median(np.abs(bent[inside]))) / math.sqrt(1.5)


def _phases(frequency: float, count: int) -> NDArray[np.complex128]:
    return np.asarray(np.exp(2j * math.pi * frequency * np.arange(count)))
