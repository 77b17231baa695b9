"""One noise model for the planes of a stack, and which planes it does not fit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.anscombe import variance_stabilized
from napari_inr_denoise.core.noise.chen import plane_level
from napari_inr_denoise.core.noise.estimate import apply_curves, examine_plane
from napari_inr_denoise.core.noise.level_function import NoiseLevelFunction
from napari_inr_denoise.core.noise.model import NoiseModel

_GAP = 4
"""Invalid rows between planes that are measured as one: no patch, and no lattice of
every fourth pixel, may reach over a border."""
_FITS = (0.7, 1.4)
"""A plane's level over the stack's, after the noise was made even."""


@dataclass(frozen=True)
class SharedNoise:
    """The noise that the planes of a stack have in common.

    Attributes
    ----------
    model : NoiseModel
        Of the planes that were measured, together.
    curves : tuple of NoiseLevelFunction
        One a sample.
    even_level : float
        Chen's level of these planes once their noise was made even: about 1, less
        where many pixels are dark or correlated.
    """

    model: NoiseModel
    curves: tuple[NoiseLevelFunction, ...]
    even_level: float

    @classmethod
    def of(
        cls, planes: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]]
    ) -> SharedNoise:
        """Measure planes together.

        Parameters
        ----------
        planes : sequence of (plane_yxs, valid_yx)
            At least one, all of one width.
        """
        below = ((0, _GAP), (0, 0))
        values = [np.pad(plane, (*below, (0, 0))) for plane, _ in planes]
        valid = [np.pad(mask, below) for _, mask in planes]
        model, curves = examine_plane(np.concatenate(values), np.concatenate(valid))
        return cls(model, curves, _stabilized_level(curves, planes))

    def fits(
        self, parts: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]]
    ) -> bool:
        """Return whether a plane, of which parts are given, has this noise.

        Parameters
        ----------
        parts : sequence of (plane_yxs, valid_yx)
            As for `examine_plane`.
        """
        ratio = _stabilized_level(self.curves, parts) / self.even_level
        return _FITS[0] <= ratio <= _FITS[1]

    def on(
        self, plane_yxs: NDArray[np.float64], valid_yx: NDArray[np.bool_]
    ) -> NoiseModel:
        """Return what the noise amounts to on a plane, or on a part of one.

        Parameters
        ----------
        plane_yxs, valid_yx : ndarray
            As for `examine_plane`.
        """
        if not valid_yx.any():
            return self.model
        return apply_curves(self.model, self.curves, plane_yxs, valid_yx)


def _stabilized_level(
    curves: tuple[NoiseLevelFunction, ...],
    parts: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]],
) -> float:
    """Return Chen's level of parts once their noise is even: the median of the known.

    NaN if none is.
    """
    levels = [
        plane_level(variance_stabilized(part, curves), valid) for part, valid in parts
    ]
    known = [level for level in levels if level > 0]
    return float(np.median(known)) if known else math.nan
