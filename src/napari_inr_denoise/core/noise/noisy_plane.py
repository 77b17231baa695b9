"""One plane to denoise, and what is known of its noise."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.anscombe import variance_stabilized
from napari_inr_denoise.core.noise.level_function import (
    NoiseLevelFunction,
    constant_level_function,
)
from napari_inr_denoise.core.noise.model import NoiseModel

CORRELATED_BLIND_RADIUS = 3
"""Reach of what is hidden around a pixel whose noise its neighbours share, in pixels.

On wide-field frames 3 did better by 0.6 dB than 2, and 4 did worse.
"""


@dataclass(frozen=True)
class NoisyPlane:
    """One plane to fit.

    Attributes
    ----------
    plane_yxs : ndarray of float, shape (Y, X, samples)
        Noisy intensities in the image's units, finite everywhere.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels that have a value.
    fitted_yx : ndarray of bool, shape (Y, X)
        Pixels that count in the fit and in the stop; the network fills in the others.
    noise : NoiseModel
        In the same units.
    spacing_yx : tuple of float
        Height and width of a pixel; any one unit.
    curves : tuple of NoiseLevelFunction
        Of each sample; the same noise everywhere if empty.
    """

    plane_yxs: NDArray[np.float64]
    valid_yx: NDArray[np.bool_]
    fitted_yx: NDArray[np.bool_]
    noise: NoiseModel
    spacing_yx: tuple[float, float] = (1.0, 1.0)
    curves: tuple[NoiseLevelFunction, ...] = field(default=(), repr=False)

    @property
    def isolated_count(self) -> int:
        """How many pixels have a value but are left out of the fit."""
        return int(self.valid_yx.sum() - self.fitted_yx.sum())

    @property
    def hole(self) -> int:
        """Reach of what must be hidden around a pixel: 0 for the pixel alone."""
        return CORRELATED_BLIND_RADIUS if self.noise.correlated else 0

    def cropped(self, window_yx: tuple[slice, slice]) -> NoisyPlane:
        """Return a part of the plane; its noise is said to be the whole plane's.

        A copy: what is kept of a large plane must not keep all of it.
        """
        return replace(
            self,
            plane_yxs=self.plane_yxs[window_yx].copy(),
            valid_yx=self.valid_yx[window_yx].copy(),
            fitted_yx=self.fitted_yx[window_yx].copy(),
        )

    def curve(self, sample: int) -> NoiseLevelFunction:
        """Return how the noise of a sample grows with the signal."""
        return (
            self.curves[sample]
            if self.curves
            else constant_level_function(self.noise.sigma)
        )

    def variance_stabilized(self) -> NDArray[np.float64]:
        """Return the plane with noise made even, (Y, X, samples)."""
        samples = range(self.plane_yxs.shape[-1])
        return variance_stabilized(self.plane_yxs, [self.curve(k) for k in samples])

    def residual_rms(self, plane_yxs: NDArray[np.floating]) -> float:
        """Return the root of MSE(result, noisy) over the pixels that are fitted.

        Parameters
        ----------
        plane_yxs : ndarray, shape (Y, X, samples)
            A result, in the image's units; at least one pixel is fitted.
        """
        residual = (plane_yxs - self.plane_yxs)[self.fitted_yx]
        return float(np.sqrt(np.mean(residual**2)))

    def variance(self, plane_yxs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the noise variance where the clean intensities are those given."""
        samples = range(plane_yxs.shape[-1])
        parts = [self.curve(k).variance(plane_yxs[..., k]) for k in samples]
        return np.stack(parts, axis=-1)
