"""Planes of a stack that were multiplied by factors, so that their noise differs.

For example when bleaching or attenuation was corrected. Divided by the right factor, a
plane has the noise of the others again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.level.quiet_patches import QuietPatches
from napari_inr_denoise.core.noise.regions import unlikely
from napari_inr_denoise.core.sampling.stack.parts import Values
from napari_inr_denoise.core.sampling.stack.shared_noise import SharedNoise, divided

_ALIKE = (0.85, 1.18)
"""Ratios of a plane's level of white noise to the stack's that count as 1. Planes of 21
stacks with one noise have 0.90 to 1.09."""
_MORE_ROUNDS = 2
"""The factors follow from the noise of all planes, and that from the factors."""
_NEAR, _COMPANY = 4.0, 3
"""Ratio of two factors up to which they are near, and number of planes that must be
near each other to be denoised together. A single plane with a twelfth of the light of
the others had 1.4 times the error that it has alone, one with a seventh 0.9 to 1.1
times. Where every second plane had a tenth, all gained."""


@dataclass(frozen=True)
class PlaneFactors:
    """Factors that the planes of a stack were multiplied by.

    Attributes
    ----------
    noise : SharedNoise
        Noise of the planes divided by their factors.
    fixed : float
        The intensity that a multiplication left as it was: 0, or that without light.
    measured : tuple of float
        Factors of the planes that were measured; all are 1 if they have one noise.
    """

    noise: SharedNoise
    fixed: float
    measured: tuple[float, ...]

    @property
    def alike(self) -> bool:
        """Whether the measured planes have one noise."""
        return set(self.measured) <= {1.0}

    @classmethod
    def of(cls, noise: SharedNoise, planes: Sequence[Sequence[Values]]) -> PlaneFactors:
        """Measure the noise of planes with factors of their own.

        Parameters
        ----------
        noise : SharedNoise
            White noise, measured on all planes together.
        planes : sequence of sequences of (plane_yxs, valid_yx)
            Parts of each plane.
        """
        options = _fixed_intensities(noise, planes)
        same = cls(noise, min(options), (1.0,) * len(planes))
        patches = [patches_of(parts) for parts in planes]
        ratios = np.array([noise.ratio(one) for one in patches])
        if _alike(ratios[np.isfinite(ratios)]):
            return same
        tried = [_round(noise, planes, patches, one) for one in options]
        found, _ = min(tried, key=lambda one: one[1])
        for _ in range(_MORE_ROUNDS):
            found, _ = _round(found.noise, planes, patches, found.fixed)
        return same if found.noise.model.correlated else found

    def factor(self, parts: Sequence[Values]) -> float:
        """Return the factor of a plane, given by some of its parts.

        NaN if it has no noise.
        """
        patches = patches_of(parts)
        if self.alike and _alike(self.noise.ratio(patches)):
            return 1.0
        return self.noise.factor(patches, self.fixed)

    def is_near(self, factor: float) -> bool:
        """Return whether enough planes have about this factor."""
        ratios = np.array(self.measured) / factor
        near = (ratios >= 1 / _NEAR) & (ratios <= _NEAR)
        return bool(near.sum() >= min(_COMPANY, (len(ratios) + 1) // 2))


def _fixed_intensities(
    noise: SharedNoise, planes: Sequence[Sequence[Values]]
) -> set[float]:
    """Return the intensities that a multiplication may have left as they were.

    0, or that without light, if a pedestal was subtracted before and added after. Any
    of the planes will do if noise ignores light.
    """
    gain = float(np.mean([one.gain for one in noise.curves]))
    if gain > 0:
        at_zero = float(np.mean([one.variance_at_zero for one in noise.curves]))
        return {0.0, max(-at_zero / gain, 0.0)}
    inside = [values[valid] for parts in planes for values, valid in parts]
    return {float(np.median(np.concatenate(inside)))}


def _round(
    noise: SharedNoise,
    planes: Sequence[Sequence[Values]],
    patches: Sequence[Sequence[QuietPatches]],
    fixed: float,
) -> tuple[PlaneFactors, float]:
    """Divide planes by their factors, and measure the noise anew.

    Returns
    -------
    PlaneFactors
    float
        How unlikely the planes are with it, on average.
    """
    logs = np.log([noise.factor(one, fixed) for one in patches])
    logs = np.where(np.isfinite(logs), logs, 0.0)
    scales = np.exp(logs - np.median(logs))
    even = [
        [(divided(values, scale, fixed), valid) for values, valid in parts]
        for scale, parts in zip(scales, planes, strict=True)
    ]
    noise = SharedNoise.of([one for parts in even for one in parts])
    found = [
        np.mean([unlikely(*one, noise.curves)[one[1]].mean() for one in parts])
        for parts in even
    ]
    factors = PlaneFactors(noise, fixed, tuple(scales.tolist()))
    return factors, float(np.mean(found) + 2 * np.log(scales).mean())


def _alike(ratios: float | NDArray[np.float64]) -> bool:
    """Return whether levels over those of the stack count as 1; not if one is NaN."""
    return bool(np.all((ratios >= _ALIKE[0]) & (ratios <= _ALIKE[1])))


def patches_of(parts: Sequence[Values]) -> list[QuietPatches]:
    """Return the patches of parts of a plane."""
    return [QuietPatches.of(*one) for one in parts]
