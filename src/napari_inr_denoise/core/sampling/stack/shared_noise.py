"""A noise model shared by the planes of a stack, and a test of whether it fits one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from napari_inr_denoise.core.noise.anscombe import variance_stabilized
from napari_inr_denoise.core.noise.estimate import apply_curves, examine_plane
from napari_inr_denoise.core.noise.level.chen import plane_level
from napari_inr_denoise.core.noise.level.level_function import (
    NoiseLevelFunction,
    fill_invalid,
)
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import SmoothLevel
from napari_inr_denoise.core.noise.regions import APART, noisier_region
from napari_inr_denoise.core.noise.smooth_level import unevenness
from napari_inr_denoise.core.noise.uneven import uneven_noise

_GAP = 4
"""Invalid rows between planes that are concatenated for the measurement.

They keep patches from crossing a border, also on sub-lattices with a stride of 4.
"""
_FITS = (0.7, 1.4)
"""Allowed ratio of a plane's variance-stabilized noise level to the stack's."""
_DARK_SIDE = 7
"""Side of the window, in pixels, whose mean is taken for the clean intensity."""


@dataclass(frozen=True)
class SharedNoise:
    """Noise model shared by the planes of a stack.

    Attributes
    ----------
    model : NoiseModel
        Of all measured planes combined.
    curves : tuple of NoiseLevelFunction
        One per sample.
    even_level : float
        Chen's estimate on these planes after variance stabilization: about 1, lower if
        many pixels are dark or correlated.
    """

    model: NoiseModel
    curves: tuple[NoiseLevelFunction, ...]
    even_level: float

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
        model, curves = examine_plane(*joined(planes), _rows(planes))
        level = _stabilized_level(curves, planes, model.correlation_distance)
        return cls(model, curves, level)

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
        apart = self.model.correlation_distance
        ratio = _stabilized_level(self.curves, parts, apart) / self.even_level
        return _FITS[0] <= ratio <= _FITS[1] and self.is_even(parts)

    def down_to(
        self, plane_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_]
    ) -> SharedNoise:
        """Return the noise with curves that reach down to the darkest places.

        Parameters
        ----------
        plane_yxs, valid_yx : ndarray
            A plane with this noise, or a part of it, and its valid pixels.
        """
        curves = []
        for sample, curve in enumerate(self.curves):
            plane = fill_invalid(plane_yxs[..., sample], valid_yx)
            smooth = uniform_filter(plane, _DARK_SIDE)
            curves.append(curve.down_to(float(smooth.min())))
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
        several = [joined(parts)] if len(parts) > 1 else []
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
            model, curves = examine_plane(*joined(each), _rows(each))
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


def joined(
    parts: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return parts below each other, as one plane with invalid rows between them."""
    below = ((0, _GAP), (0, 0))
    values = [np.pad(plane, (*below, (0, 0))) for plane, _ in parts]
    valid = [np.pad(mask, below) for _, mask in parts]
    return np.concatenate(values), np.concatenate(valid)


def _rows(
    parts: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]],
) -> list[slice]:
    """Return the rows of each part in the joined plane."""
    heights = [len(valid) for _, valid in parts]
    firsts = np.cumsum([0, *(one + _GAP for one in heights[:-1])]).tolist()
    return [slice(k, k + one) for k, one in zip(firsts, heights, strict=True)]


def _stabilized_level(
    curves: tuple[NoiseLevelFunction, ...],
    parts: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]],
    apart: int,
) -> float:
    """Return Chen's estimate after variance stabilization, on pixels `apart`.

    It is the median over the parts with a level above 0; NaN if there are none. The
    estimate holds for white noise: pixels nearer to each other may share noise.
    """
    own = slice(None, None, apart)
    levels = [
        plane_level(variance_stabilized(part, curves)[own, own], valid[own, own])
        for part, valid in parts
    ]
    known = [level for level in levels if level > 0]
    return float(np.median(known)) if known else math.nan
