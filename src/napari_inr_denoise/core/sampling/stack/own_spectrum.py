"""Planes of correlated noise that differ in its spectrum and level.

Registration and deskewing move each plane by another part of a pixel. Interpolation
by half a pixel halves the variance of the noise along an axis; a whole pixel leaves it
white. One spectrum then holds for no plane.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import uniform_filter

from napari_inr_denoise.core.noise.correlated.spectrum import measure_spectrum
from napari_inr_denoise.core.noise.level.level_function import (
    NoiseLevelFunction,
    fill_invalid,
)
from napari_inr_denoise.core.sampling.stack.parts import Values
from napari_inr_denoise.core.sampling.stack.shared_noise import SharedNoise, joined

_SIDE = 5
"""Side of the window, in pixels, whose mean is taken for the clean intensity."""
_ALIKE = 1.18
"""Largest ratio of the level of a plane to the median that counts as 1. Where all have
one level, that of all together is more certain."""
_NEAR = 2.5
"""Largest ratio of the level of a plane to that of the stack. Interpolation changes it
by up to 2."""


@dataclass(frozen=True)
class OwnSpectrum:
    """Correlated noise of a plane, with a spectrum and a level of its own.

    Attributes
    ----------
    noise : SharedNoise
        How it grows with the intensity is that of the stack. The blind spot is as well,
        so that the planes can share a network.
    level : float
        Level of the noise over that of the stack.
    """

    noise: SharedNoise
    level: float

    @classmethod
    def of(cls, noise: SharedNoise, parts: Sequence[Values]) -> OwnSpectrum | None:
        """Measure the noise of a plane.

        Parameters
        ----------
        noise : SharedNoise
            Correlated noise of the stack.
        parts : sequence of (plane_yxs, valid_yx)
            Parts of the plane.

        Returns
        -------
        OwnSpectrum or None
            None if the plane has too few patches.
        """
        values, valid = joined(parts)
        curves, shares = [], []
        for sample, curve in enumerate(noise.curves):
            found = measure_spectrum(values[..., sample], valid)
            if found is None:
                return None
            share = _mean_variance(found.level_function, parts, sample)
            share /= _mean_variance(curve, parts, sample)
            if not 0 < share < math.inf:
                return None
            curves.append(replace(curve.times(share), power_kk=found.power_kk))
            shares.append(share)
        level = math.sqrt(float(np.mean(shares)))
        return cls(replace(noise, curves=tuple(curves)), level)

    @property
    def is_near(self) -> bool:
        """Whether the level is near enough to that of the stack to share a network."""
        return 1 / _NEAR <= self.level <= _NEAR


def levels_differ(planes: Sequence[OwnSpectrum | None]) -> bool:
    """Return whether planes differ in level by more than their errors."""
    levels = [one.level for one in planes if one is not None]
    ratios = [level / float(np.median(levels)) for level in levels]
    return any(not 1 / _ALIKE <= one <= _ALIKE for one in ratios)


def _mean_variance(
    curve: NoiseLevelFunction, parts: Sequence[Values], sample: int
) -> float:
    """Return the mean variance of a sample at the intensities of a plane."""
    found = [
        curve.variance(uniform_filter(fill_invalid(part[..., sample], valid), _SIDE))
        for part, valid in parts
    ]
    inside = [one[valid] for one, (_, valid) in zip(found, parts, strict=True)]
    return float(np.concatenate(inside).mean())
