"""Plane waves over a whole plane, as electrical interference leaves them in a scan."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft2, fftfreq
from scipy.ndimage import uniform_filter

from napari_inr_denoise.core.noise.level.level_function import fill_invalid

_MOST_WAVES = 6
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
_TILES, _SAME = 4, 0.5
"""Parts of each side, and the largest median difference of the amplitude in a part from
that of the plane, relative to it. Interference is the same everywhere."""
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
        rows, columns = _phases(self.down, shape[0]), _phases(self.right, shape[1])
        return np.asarray(2 * (self.amplitude * np.outer(rows, columns)).real)


def interference(
    values_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """Return the plane waves that cross a whole plane, where they stand out.

    A wave makes one sharp peak in the spectrum of the plane, and has the same amplitude
    and phase everywhere. Structure has neither. A wave stronger than three times the
    noise of a pixel counts as structure, such as a grating.

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
        plane = fill_invalid(values_yxs[..., sample], valid_yx)
        for _ in range(_MOST_WAVES):
            wave = _strongest(plane - total[..., sample])
            if wave is None:
                break
            total[..., sample] += wave.over(valid_yx.shape)
    return total if total.any() else None


def _strongest(plane_yx: NDArray[np.float64]) -> _Wave | None:
    """Return the wave that stands out most; None if there is none."""
    part = plane_yx[tuple(_central(side) for side in plane_yx.shape)]
    rows, columns = part.shape
    windowed = (part - part.mean()) * np.outer(np.hanning(rows), np.hanning(columns))
    power = np.abs(fft2(windowed)) ** 2
    around = _AROUND**2 * uniform_filter(power, _AROUND, mode="wrap")
    around -= _LOBE**2 * uniform_filter(power, _LOBE, mode="wrap")
    ratio = power * (_AROUND**2 - _LOBE**2) / np.maximum(around, 1e-300)
    down, right = fftfreq(rows)[:, None], fftfreq(columns)
    ratio[(np.hypot(down, right) < 1 / _LONGEST) | (right < 0)] = 0.0
    row, column = np.unravel_index(int(ratio.argmax()), ratio.shape)
    if not ratio[row, column] > _STANDS_OUT:
        return None
    near = np.roll(power, (_AROUND // 2 - row, _AROUND // 2 - column), (0, 1))
    near = near[:_AROUND, :_AROUND].copy()
    middle = slice((_AROUND - _LOBE) // 2, (_AROUND + _LOBE) // 2)
    near[middle, middle] = 0.0
    if power[row, column] < _ALONE * near.max():
        return None
    wave = _fitted(plane_yx, float(down[row, 0]), float(right[column]))
    return wave if _is_interference(plane_yx, wave) else None


def _central(side: int) -> slice:
    """Return the part of an axis in which waves are searched."""
    first = max((side - _SEARCHED) // 2, 0)
    return slice(first, first + _SEARCHED)


def _fitted(plane_yx: NDArray[np.float64], down: float, right: float) -> _Wave:
    """Return the wave near a frequency that explains most of a plane."""
    height, width = plane_yx.shape
    windows = np.hanning(height), np.hanning(width)
    centred = plane_yx - plane_yx.mean()
    total = windows[0].sum() * windows[1].sum()
    units = [1 / min(side, _SEARCHED) for side in plane_yx.shape]

    def amplitude(frequencies: tuple[float, float]) -> complex:
        across = np.conj(_phases(frequencies[1], width)) * windows[1]
        along = np.conj(_phases(frequencies[0], height)) * windows[0]
        # Without BLAS, which would start threads.
        lines = np.einsum("yx,x->y", centred, across)
        return complex(np.einsum("y,y->", lines, along) / total)

    best = down, right
    for step in _FINER:
        tried = [
            (best[0] + k * step * units[0], best[1] + m * step * units[1])
            for k in (-2, -1, 0, 1, 2)
            for m in (-2, -1, 0, 1, 2)
        ]
        best = max(tried, key=lambda one: abs(amplitude(one)))
    return _Wave(*best, amplitude(best))


def _is_interference(plane_yx: NDArray[np.float64], wave: _Wave) -> bool:
    """Return whether a wave is weak beside the noise, and the same everywhere."""
    left = plane_yx - wave.over(plane_yx.shape)
    bent = left[1:-1, 1:-1] - (left[2:, 1:-1] + left[:-2, 1:-1]) / 2
    noise = _TO_STD * float(np.median(np.abs(bent))) / math.sqrt(1.5)
    if not 2 * abs(wave.amplitude) <= _LARGEST * noise:
        return False
    rows = np.conj(_phases(wave.down, plane_yx.shape[0]))
    columns = np.conj(_phases(wave.right, plane_yx.shape[1]))
    apart = [
        abs(complex(np.einsum("yx,y,x->", part, *phases))) / part.size
        for band, along in zip(
            np.array_split(left - left.mean(), _TILES),
            np.array_split(rows, _TILES),
            strict=True,
        )
        for part, *phases in zip(
            np.array_split(band, _TILES, axis=1),
            [along] * _TILES,
            np.array_split(columns, _TILES),
            strict=True,
        )
    ]
    return bool(np.median(apart) < _SAME * abs(wave.amplitude))


def _phases(frequency: float, count: int) -> NDArray[np.complex128]:
    return np.asarray(np.exp(2j * math.pi * frequency * np.arange(count)))
