"""Planes of a stack that were multiplied by factors, so that their noise differs.

For example when bleaching or attenuation was corrected. Divided by the right factor, a
plane has the noise of the others again. Offsets of planes are factors as well, about an
intensity that is far away.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.level.quiet_patches import QuietPatches, divided
from napari_inr_denoise.core.noise.regions import unlikely
from napari_inr_denoise.core.noise.smooth_level import division_power
from napari_inr_denoise.core.sampling.stack.parts import Values, centre
from napari_inr_denoise.core.sampling.stack.shared_noise import SharedNoise

_ALIKE = (0.85, 1.18)
"""Ratios of a plane's level of white noise to the stack's that count as 1. Planes of 21
stacks with one noise have 0.90 to 1.09."""
_LEAST_VARIANCE = 0.05
"""Variance of a patch over the mean of the curve's from which it is known well enough
for a factor. With fewer than 0.1 photons the curve is not."""
_FACTOR_ROUNDS = 3
"""The power of a plane's level that its factor is depends on the factor."""
_FAR = 1e6
"""Distance of the fixed intensity, in standard deviations of the values, where planes
differ in offset. A factor near 1 about a point so far away adds the same to all values.
"""
_BETTER = 2.0
"""Scatter of the levels for their intensities over that of the levels alone, from which
planes differ in offset."""
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
    level : float
        Level of the noise of these planes over that of the curves, by the same measure
        as the level of a single plane: about 1.
    darkest : (float, float) or None
        Intensity and level of the quiet patches, if planes differ in offset only.
    """

    noise: SharedNoise
    fixed: float
    measured: tuple[float, ...]
    level: float
    darkest: tuple[float, float] | None = None

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
        patches = [_patches_of(parts) for parts in planes]
        same = cls._with_factors(noise, patches, 0.0, np.ones(len(planes)))
        ratios = np.array([same._ratio(one) for one in patches])
        shifted = cls._with_offsets(noise, planes, patches)
        if shifted is not None:
            return shifted
        if _alike(ratios[ratios > 0]):
            return same
        # The noise of all planes would be bent by one that has far more.
        at = int(np.argsort(ratios)[np.sum(ratios > 0) // 2])
        start = cls._with_factors(
            SharedNoise.of(planes[at]), patches[at : at + 1], 0.0, np.ones(1)
        )
        options = _fixed_intensities(noise, planes)
        found = [replace(start, fixed=one)._round(planes, patches) for one in options]
        for _ in range(_MORE_ROUNDS):
            likely = [one for one in found if one is not None]
            if not likely:
                return same
            best, _ = min(likely, key=lambda one: (-len(one[0].measured), one[1]))
            found = [best._round(planes, patches)]
        (last,) = found
        return same if last is None or last[0].noise.model.correlated else last[0]

    @classmethod
    def _with_factors(
        cls,
        noise: SharedNoise,
        patches: Sequence[Sequence[QuietPatches]],
        fixed: float,
        factors: NDArray[np.float64],
    ) -> PlaneFactors:
        """Return factors of measured planes, whose level is then known as well."""
        levels = [
            _level(noise, one, factor, fixed)
            for one, factor in zip(patches, factors, strict=True)
        ]
        return cls(noise, fixed, tuple(factors.tolist()), _median(levels))

    @classmethod
    def _with_offsets(
        cls,
        noise: SharedNoise,
        planes: Sequence[Sequence[Values]],
        patches: Sequence[Sequence[QuietPatches]],
    ) -> PlaneFactors | None:
        """Return factors that stand for offsets; None if the noise itself differs.

        Planes with the same noise at other intensities differ by what was added, as by
        a detector that drifts or a background that was subtracted plane by plane. Their
        levels agree better without the intensity than with it. The curve is that of one
        plane: that of all together is flat.
        """
        dark = np.array([_darkest(one) for one in patches])
        if len(noise.curves) > 1 or not np.isfinite(dark).all():
            return None
        middle, level = np.median(dark, axis=0).tolist()
        if not _alike(dark[:, 1] / level) or np.ptp(dark[:, 0]) < level:
            return None
        at = int(np.abs(dark[:, 0] - middle).argmin())
        one_plane = replace(noise, curves=SharedNoise.of(planes[at]).curves)
        of_curve = cls(one_plane, 0.0, (), 1.0)
        scatter = np.std(np.log([of_curve._ratio(one) for one in patches]))
        if not scatter > _BETTER * np.std(np.log(dark[:, 1])):
            return None
        spread = float(np.std(np.concatenate([v[ok] for p in planes for v, ok in p])))
        found = cls(noise, middle - _FAR * spread, (), 1.0, (middle, level))
        factors = np.array([found._factor(one) for one in patches])
        even = [
            [(divided(values, factor, found.fixed), valid) for values, valid in parts]
            for factor, parts in zip(factors, planes, strict=True)
        ]
        own = SharedNoise.of([one for parts in even for one in parts])
        if own.model.correlated:
            return None
        shifted = cls._with_factors(own, patches, found.fixed, factors)
        return replace(shifted, darkest=found.darkest)

    def factor(self, parts: Sequence[Values]) -> float:
        """Return the factor of a plane, given by some of its parts.

        NaN if it is not known: if there is no noise, or if there are too few pixels.
        """
        patches = _patches_of(parts)
        if self.alike and _alike(self._ratio(patches)):
            return 1.0
        return self._factor(patches)

    def _ratio(self, patches: Sequence[QuietPatches]) -> float:
        """Return the level of a plane over that of the stack."""
        powers = [one.power(self.noise.curves) for one in patches]
        return _median(np.sqrt(powers)) / self.level

    def _factor(self, patches: Sequence[QuietPatches]) -> float:
        if self.darkest is not None:
            mean, level = _darkest(patches)
            if not _alike(level / self.darkest[1]):
                return math.nan
            return 1 + (mean - self.darkest[0]) / (self.darkest[0] - self.fixed)
        factor, curves = 1.0, self.noise.curves
        for _ in range(_FACTOR_ROUNDS):
            level = _level(self.noise, patches, factor, self.fixed)
            ratio = level / self.level
            if not ratio > 0:
                return math.nan
            means = np.concatenate([one.means[one.known] for one in patches])
            means = divided(means.mean(axis=0), factor, self.fixed)
            terms = [
                (max(c.gain, 0.0) * (mean - self.fixed), c.down_to(mean).variance(mean))
                for c, mean in zip(curves, means, strict=True)
            ]
            photons, variance = np.mean(terms, axis=0).tolist()
            factor *= ratio ** (2 * division_power(photons, variance))
        return factor

    def is_near(self, factor: float) -> bool:
        """Return whether enough planes have about this factor."""
        ratios = np.array(self.measured) / factor
        near = (ratios >= 1 / _NEAR) & (ratios <= _NEAR)
        return bool(near.sum() >= min(_COMPANY, (len(ratios) + 1) // 2))

    def _round(
        self,
        planes: Sequence[Sequence[Values]],
        patches: Sequence[Sequence[QuietPatches]],
    ) -> tuple[PlaneFactors, float] | None:
        """Divide planes by their factors, and measure the noise anew.

        Returns
        -------
        (PlaneFactors, float) or None
            And how unlikely the planes are with them, on average. None if the factors
            of most planes are not known.
        """
        factors = np.array([self._factor(one) for one in patches])
        known = np.flatnonzero(factors > 0)
        if 2 * len(known) <= len(planes):
            return None
        logs = np.log(factors[known])
        scales = np.exp(logs - np.median(logs))
        even = [
            [(divided(values, scale, self.fixed), valid) for values, valid in planes[k]]
            for scale, k in zip(scales, known.tolist(), strict=True)
        ]
        noise = SharedNoise.of([one for parts in even for one in parts])
        costs = [
            np.mean([unlikely(*one, noise.curves)[one[1]].mean() for one in parts])
            for parts in even
        ]
        wider = 2 * len(noise.curves) * np.log(scales)
        measured = [patches[k] for k in known.tolist()]
        found = self._with_factors(noise, measured, self.fixed, scales)
        return found, float(np.mean(costs + wider))


def _fixed_intensities(
    noise: SharedNoise, planes: Sequence[Sequence[Values]]
) -> set[float]:
    """Return the intensities that a multiplication may have left as they were.

    0, or that without light, if a pedestal was subtracted before and added after. Any
    of the planes will do if noise ignores light. With several samples 0 only, because
    each may have a pedestal of its own.
    """
    if max(curve.gain for curve in noise.curves) <= 0:
        inside = [values[valid] for parts in planes for values, valid in parts]
        return {float(np.median(np.concatenate(inside)))}
    if len(noise.curves) > 1:
        return {0.0}
    (curve,) = noise.curves
    return {0.0, -curve.variance_at_zero / curve.gain}


def _level(
    noise: SharedNoise,
    patches: Sequence[QuietPatches],
    factor: float,
    fixed: float,
) -> float:
    """Return the level of white noise over that of the curves.

    Unlike a level after variance stabilization, it is right for few photons.

    Parameters
    ----------
    noise : SharedNoise
        Gives the curves.
    patches : sequence of QuietPatches
        Of parts of a plane. The result is the median over them.
    factor, fixed : float
        The plane is divided by this factor before, as in `divided`.

    Returns
    -------
    float
        NaN if there are too few patches whose variance is known well.
    """
    powers = [
        one.power(noise.curves, factor, fixed, least=_LEAST_VARIANCE) for one in patches
    ]
    return _median(np.sqrt(powers))


def _median(levels: Iterable[float], least: float = 0.0) -> float:
    known = [level for level in levels if level > least]
    return float(np.median(known)) if known else math.nan


def _darkest(patches: Sequence[QuietPatches]) -> tuple[float, float]:
    """Return intensity and level of the quiet patches of a plane."""
    means, levels = zip(*(one.darkest for one in patches), strict=True)
    return _median(means, least=-math.inf), _median(levels)


def _alike(ratios: float | NDArray[np.float64]) -> bool:
    """Return whether levels over those of the stack count as 1; not if one is NaN."""
    return bool(np.all((ratios >= _ALIKE[0]) & (ratios <= _ALIKE[1])))


def _patches_of(parts: Sequence[Values]) -> list[QuietPatches]:
    """Return the patches of the middle of each part of a plane."""
    found = []
    for values, valid in parts:
        rows, columns = (slice(0, size) for size in valid.shape)
        middle = centre((rows, columns))
        found.append(QuietPatches.of(values[middle], valid[middle]))
    return found
