"""A noise model shared by the planes of a stack, and a test of whether it fits one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from napari_inr_denoise.core.noise.anscombe import variance_stabilized
from napari_inr_denoise.core.noise.estimate import apply_curves, examine_plane
from napari_inr_denoise.core.noise.level.chen import plane_level
from napari_inr_denoise.core.noise.level.level_function import NoiseLevelFunction
from napari_inr_denoise.core.noise.level.quiet_patches import QuietPatches
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import SmoothLevel
from napari_inr_denoise.core.noise.regions import APART, noisier_region
from napari_inr_denoise.core.noise.smooth_level import division_power, unevenness
from napari_inr_denoise.core.noise.uneven import uneven_noise

_GAP = 4
"""Invalid rows between planes that are concatenated for the measurement.

They keep patches from crossing a border, also on sub-lattices with a stride of 4.
"""
_FITS = (0.7, 1.4)
"""Allowed ratio of a plane's level to the stack's where planes have no factors, as with
correlated noise: planes that were registered differ in level and in correlation."""
_DARK_SIDE = 7
"""Side of the window, in pixels, whose mean is taken for the clean intensity."""
_FACTOR_ROUNDS = 3
"""The power of a plane's level that its factor is depends on the factor."""


@dataclass(frozen=True)
class SharedNoise:
    """Noise model shared by the planes of a stack.

    Attributes
    ----------
    model : NoiseModel
        Of all measured planes combined.
    curves : tuple of NoiseLevelFunction
        One per sample.
    level : float
        Level of the noise of these planes over that of the curves, as `_level` finds
        it: about 1, lower if many pixels are dark or correlated.
    """

    model: NoiseModel
    curves: tuple[NoiseLevelFunction, ...]
    level: float

    @classmethod
    def of(
        cls, planes: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]]
    ) -> SharedNoise:
        """Measure the noise of several planes jointly.

        Parameters
        ----------
        planes : sequence of (plane_yxs, valid_yx)
            At least one, all of the same width.
        """
        model, curves = examine_plane(*_joined(planes))
        return cls(model, curves, _level(model, curves, planes))

    def fits(
        self, parts: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]]
    ) -> bool:
        """Return whether a plane, given by some of its parts, has this noise.

        Not so if it differs from place to place, see `is_even`.

        Parameters
        ----------
        parts : sequence of (plane_yxs, valid_yx)
            As for `of`.
        """
        ratio = _level(self.model, self.curves, parts) / self.level
        return _FITS[0] <= ratio <= _FITS[1] and self.is_even(parts)

    def ratio(self, parts: Sequence[QuietPatches]) -> float:
        """Return the level of the white noise of a plane over that of the stack.

        Parameters
        ----------
        parts : sequence of QuietPatches
            Patches of parts of the plane.

        Returns
        -------
        float
            NaN if the plane has no noise.
        """
        return _quiet_level(self.curves, parts) / self.level

    def factor(self, parts: Sequence[QuietPatches], fixed: float) -> float:
        """Return the factor by which a plane with this white noise was multiplied.

        For example when bleaching was corrected. Planes that were averaged from more or
        fewer frames have one too.

        Parameters
        ----------
        parts : sequence of QuietPatches
            Patches of parts of the plane.
        fixed : float
            The intensity that it left as it is, see `divided`.

        Returns
        -------
        float
            NaN if the plane has no noise.
        """
        factor = 1.0
        for _ in range(_FACTOR_ROUNDS):
            ratio = _quiet_level(self.curves, parts, factor, fixed) / self.level
            if not ratio > 0:
                return math.nan
            means = np.concatenate([one.means[one.known] for one in parts]).mean(axis=0)
            means = divided(means, factor, fixed)
            both = list(zip(self.curves, means, strict=True))
            photons = [max(c.gain, 0.0) * (mean - fixed) for c, mean in both]
            variances = [c.down_to(mean).variance(mean) for c, mean in both]
            power = division_power(float(np.mean(photons)), float(np.mean(variances)))
            factor *= ratio ** (2 * power)
        return factor

    def down_to(self, plane_yxs: NDArray[np.float64]) -> SharedNoise:
        """Return the noise with curves that reach down to the darkest places.

        Parameters
        ----------
        plane_yxs : ndarray, shape (Y, X, samples)
            A plane with this noise, or a part of it.
        """
        smooth = uniform_filter(plane_yxs, (_DARK_SIDE, _DARK_SIDE, 1))
        lowest = smooth.min(axis=(0, 1)).tolist()
        curves = [c.down_to(low) for c, low in zip(self.curves, lowest, strict=True)]
        return replace(self, curves=tuple(curves))

    def stretched(self, factor: float, fixed: float) -> SharedNoise:
        """Return the noise of planes that were multiplied by a factor.

        Parameters are those of `NoiseLevelFunction.stretched`.
        """
        curves = tuple(one.stretched(factor, fixed) for one in self.curves)
        return replace(self, curves=curves)

    def is_even(
        self,
        parts: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]],
        apart: float = APART,
    ) -> bool:
        """Return whether the noise of a plane does not differ from place to place.

        Neither inside of a part, nor between the parts.

        Parameters
        ----------
        parts : sequence of (plane_yxs, valid_yx)
            As for `of`.
        apart : float
            Factor between the variances of two places from which they differ.
        """
        if self.model.correlated:
            return True
        several = [_joined(parts)] if len(parts) > 1 else []
        return all(
            noisier_region(values, valid, self.curves, apart) is None
            for values, valid in [*several, *parts]
        )

    def smooth_level(
        self, planes: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]]
    ) -> SmoothLevel | None:
        """Return the map of a noise level that changes smoothly over all planes.

        Parameters
        ----------
        planes : sequence of (plane_yxs, valid_yx)
            Whole planes with this noise. Pixels that are valid in all of them are used,
            those with few valid pixels left out.

        Returns
        -------
        SmoothLevel or None
            None if the level is the same everywhere or changes in steps, or if most of
            the planes do not become more even. Its curves are those of one plane.
        """
        valid_counts = [valid.sum() for _, valid in planes]
        fewest = np.median(valid_counts) / 2
        planes = [
            plane
            for plane, valid in zip(planes, valid_counts, strict=True)
            if valid >= fewest
        ]
        count, samples = len(planes), len(self.curves)

        def examine(
            all_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_]
        ) -> tuple[NoiseModel, tuple[NoiseLevelFunction, ...]]:
            each = [(one, valid_yx) for one in np.split(all_yxs, count, axis=-1)]
            model, curves = examine_plane(*_joined(each))
            return model, count * curves

        # The planes are samples of one plane: what differs between places is common.
        all_yxs = np.concatenate([values for values, _ in planes], axis=-1)
        valid_yx = np.logical_and.reduce([valid for _, valid in planes])
        curves = count * self.curves
        found = uneven_noise(all_yxs, valid_yx, self.model, curves, examine)
        if not isinstance(found, SmoothLevel):
            return None
        level = replace(found, curves=found.curves[:samples])
        changes = [
            unevenness(level.even(values), valid, level.curves)
            - unevenness(values, valid, self.curves)
            for values, valid in planes
        ]
        return level if np.median(changes) < 0 else None

    def on(
        self, plane_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_]
    ) -> NoiseModel:
        """Return the noise model for the intensities of a plane or of a part of it.

        Parameters
        ----------
        plane_yxs, valid_yx : ndarray
            As for `examine_plane`.
        """
        if not valid_yx.any():
            return self.model
        return apply_curves(self.model, self.curves, plane_yxs, valid_yx)


def _joined(
    parts: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return parts below each other, as one plane with invalid rows between them."""
    below = ((0, _GAP), (0, 0))
    values = [np.pad(plane, (*below, (0, 0))) for plane, _ in parts]
    valid = [np.pad(mask, below) for _, mask in parts]
    return np.concatenate(values), np.concatenate(valid)


def divided(
    intensities: NDArray[np.float64], factor: float, fixed: float
) -> NDArray[np.float64]:
    """Return intensities divided by a factor; the intensity `fixed` stays as it is."""
    return intensities if factor == 1 else fixed + (intensities - fixed) / factor


def _level(
    model: NoiseModel,
    curves: tuple[NoiseLevelFunction, ...],
    parts: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]],
) -> float:
    """Return the noise level of parts over that of curves; NaN if there is no noise.

    It is the median over the parts. Of correlated noise it is Chen's estimate after
    variance stabilization, on pixels that share none.
    """
    if not model.correlated:
        return _quiet_level(curves, [QuietPatches.of(*one) for one in parts])
    own = slice(None, None, model.correlation_distance)
    return _median(
        plane_level(variance_stabilized(values, curves)[own, own], valid[own, own])
        for values, valid in parts
    )


def _quiet_level(
    curves: tuple[NoiseLevelFunction, ...],
    parts: Sequence[QuietPatches],
    factor: float = 1.0,
    fixed: float = 0.0,
) -> float:
    """Return the level of white noise over that of curves, as `_level` does.

    The parts are divided by a factor before, as in `QuietPatches.power`.
    """
    return _median(math.sqrt(one.power(curves, factor, fixed)) for one in parts)


def _median(levels: Iterable[float]) -> float:
    known = [level for level in levels if level > 0]
    return float(np.median(known)) if known else math.nan
