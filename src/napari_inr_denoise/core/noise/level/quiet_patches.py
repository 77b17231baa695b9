"""Patches of a plane with the least structure, in which the noise is seen alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d, gaussian_filter, minimum_filter

from napari_inr_denoise.core.noise.level.level_function import (
    NoiseLevelFunction,
    fill_invalid,
)

_HIGH_PASS = (
    np.array([1.0, -2.0, 1.0]) / math.sqrt(6),
    np.array([1.0, -4.0, 6.0, -4.0, 1.0]) / math.sqrt(70),
)
"""Filters along rows and columns, of rising frequency. They remove offsets of lines."""
_MARGIN = 5
"""Side of the window of the wider filter, in pixels."""
_FINE, _COARSE = 1.0, 4.0
"""Blurs, in pixels, between which structure is looked for."""
_PATCH, QUIET = 8, 0.25
"""Side of a patch in pixels, and share of the patches that are taken: those with the
least structure."""
_FLAT = 0.1
"""Variance at middle frequencies over that of the noise up to which a patch is flat:
1.5 times that of white noise."""
_TINY = float(np.finfo(float).tiny)
_FEWEST = 24
"""Smallest number of patches. With 16 of them, wrong factors were found in one stack of
ten, and with 9 in three."""
_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True)
class QuietPatches:
    """The patches of a plane, filtered, and how much structure each has.

    Attributes
    ----------
    filtered : ndarray, shape (2, patches, pixels)
        Pixels of all samples without structure of low frequencies: after a high-pass
        filter, and after one of higher frequencies.
    structure : ndarray, shape (patches,)
        Variance at middle frequencies; infinite where a pixel is invalid or where there
        is no noise.
    means : ndarray, shape (patches, samples)
        Mean intensities.
    """

    filtered: NDArray[np.float64]
    structure: NDArray[np.float64]
    means: NDArray[np.float64]

    @classmethod
    def of(
        cls, values_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_]
    ) -> QuietPatches:
        """Cut a plane (Y, X, samples) with its valid pixels (Y, X) into patches."""
        inside = _cut(minimum_filter(valid_yx, _MARGIN)[..., None]).all(axis=(1, 2))
        samples = range(values_yxs.shape[-1])
        planes = [fill_invalid(values_yxs[..., k], valid_yx) for k in samples]
        middle = [
            gaussian_filter(p, _FINE) - gaussian_filter(p, _COARSE) for p in planes
        ]
        filtered = np.stack(
            [
                _cut(np.stack([_high_pass(one, line) for one in planes], axis=-1))
                for line in _HIGH_PASS
            ]
        )
        structure = _cut(np.stack(middle, axis=-1)).var(axis=(1, 2))
        structure[~inside | ~filtered.any(axis=(0, 2, 3))] = np.inf
        means = _cut(np.stack(planes, axis=-1)).mean(axis=1)
        pixels = math.prod(filtered.shape[2:])
        return cls(filtered.reshape(2, len(means), pixels), structure, means)

    @property
    def known(self) -> NDArray[np.bool_]:
        """Patches that are valid and have noise."""
        return np.isfinite(self.structure)

    @property
    def darkest(self) -> tuple[float, float]:
        """Mean intensity of the patches with the least structure, and level there.

        The level is that of the noise after the filter, whatever the intensity. NaN if
        there are too few patches.
        """
        known = self.known
        if known.sum() < _FEWEST:
            return math.nan, math.nan
        structure, power = self.structure[known], np.square(self.filtered[0, known])
        quiet = structure <= np.quantile(structure, QUIET)
        return float(self.means[known][quiet].mean()), math.sqrt(power[quiet].mean())

    def power(
        self,
        curves: Sequence[NoiseLevelFunction],
        factor: float = 1.0,
        fixed: float = 0.0,
        least: float = 0.0,
    ) -> float:
        """Return the variance of white noise over that of curves, in quiet patches.

        Parameters
        ----------
        curves : sequence of NoiseLevelFunction
            One per sample.
        factor, fixed : float
            The plane is divided by this factor before; the intensity `fixed` stays.
        least : float
            Patches are left out whose variance, over the mean of the curves, is less.

        Returns
        -------
        float
            NaN if there are too few patches.
        """
        known = self.known
        if known.sum() < _FEWEST:
            return math.nan
        means = divided(self.means[known], factor, fixed)
        variance = np.mean(
            [
                curve.down_to(float(mean.min())).variance(mean)
                for curve, mean in zip(curves, means.T, strict=True)
            ],
            axis=0,
        )
        usual = np.mean([np.mean(curve.variances) for curve in curves])
        certain = variance > max(least * usual, _TINY)
        if certain.sum() < _FEWEST:
            return math.nan
        known[known] = certain
        variance = variance[certain] * factor**2
        relative = self.structure[known] / variance
        power = np.square(self.filtered[0, known]).mean(axis=-1) / variance
        quiet = np.quantile(relative, QUIET)
        # Other patches that show noise alone are used as well.
        flat = _FLAT * power[relative <= quiet].mean()
        return float(power[relative <= max(quiet, flat)].mean())


def divided(
    intensities: NDArray[np.float64], factor: float, fixed: float
) -> NDArray[np.float64]:
    """Return intensities divided by a factor; the intensity `fixed` stays as it is."""
    return intensities if factor == 1 else fixed + (intensities - fixed) / factor


def _high_pass(
    plane_yx: NDArray[np.floating], line: NDArray[np.float64]
) -> NDArray[np.float64]:
    rows = correlate1d(plane_yx, line, axis=0)
    return np.asarray(correlate1d(rows, line, axis=1))


def _cut(plane_yxs: NDArray[_Scalar]) -> NDArray[_Scalar]:
    """Return the patches of a plane, (patches, pixels, samples)."""
    rows, columns = (size // _PATCH for size in plane_yxs.shape[:2])
    whole = plane_yxs[: rows * _PATCH, : columns * _PATCH]
    samples = plane_yxs.shape[2]
    blocks = whole.reshape(rows, _PATCH, columns, _PATCH, samples).swapaxes(1, 2)
    return blocks.reshape(rows * columns, _PATCH * _PATCH, samples)
