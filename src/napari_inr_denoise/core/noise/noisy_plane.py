"""A plane to denoise, with its noise model and its masks."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.anscombe import variance_stabilized
from napari_inr_denoise.core.noise.level.level_function import (
    NoiseLevelFunction,
    constant_level_function,
)
from napari_inr_denoise.core.noise.model import NoiseModel

_LEAST_STD = 0.02
"""Smallest standard deviation of a pixel, as a fraction of the noise level."""


NO_OFFSETS: tuple[float, ...] = (0.0,)
"""Standard deviation of the offsets of pixels where there are none."""


@dataclass(frozen=True)
class NoiseRegion:
    """Part of a plane with a noise level of its own.

    Attributes
    ----------
    mask_yx : ndarray of bool, shape (Y, X)
        Pixels of the region.
    noise : NoiseModel
        Noise model of the region.
    curves : tuple of NoiseLevelFunction
        Noise level function of each sample.
    """

    mask_yx: NDArray[np.bool_] = field(repr=False)
    noise: NoiseModel
    curves: tuple[NoiseLevelFunction, ...] = field(repr=False)


@dataclass(frozen=True)
class SmoothLevel:
    """A noise level that changes smoothly over a plane, or differs from other planes.

    Attributes
    ----------
    scale_yx : ndarray, shape (Y, X)
        Map by which the plane is divided, so that one noise model holds; one value
        everywhere for a factor of the whole plane.
    base : float
        Intensity that is subtracted before, in the image's units. Divided by the map,
        a pedestal would become a slope.
    noise : NoiseModel
        Noise model of the plane divided by the map.
    curves : tuple of NoiseLevelFunction
        Noise level function of each sample of that plane.
    """

    scale_yx: NDArray[np.float64] = field(repr=False)
    base: float
    noise: NoiseModel
    curves: tuple[NoiseLevelFunction, ...] = field(repr=False)

    def even(self, plane_yxs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return a plane (Y, X, samples) with the same noise level everywhere."""
        return np.asarray((plane_yxs - self.base) / self.scale_yx[..., None])

    def restored(self, even_yxs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return what `even` has made, (Y, X, samples), in the image's units again."""
        return np.asarray(even_yxs * self.scale_yx[..., None] + self.base)

    def cropped(self, window_yx: tuple[slice, slice]) -> SmoothLevel:
        """Return the level of a crop of the plane, as a copy."""
        return replace(self, scale_yx=self.scale_yx[window_yx].copy())

    def typical_scale(self, mask_yx: NDArray[np.bool_]) -> float:
        """Return the root mean square of the map over the pixels of a mask (Y, X)."""
        return math.sqrt(float(np.square(self.scale_yx[mask_yx]).mean()))


@dataclass(frozen=True)
class NoisyPlane:
    """A noisy plane to fit.

    Attributes
    ----------
    plane_yxs : ndarray of float, shape (Y, X, samples)
        Noisy intensities in the image's units, finite everywhere.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels that have a value.
    fitted_yx : ndarray of bool, shape (Y, X)
        Pixels used by the fit and the stop rule. The network predicts the others.
    noise : NoiseModel
        Noise model, in the image's units.
    spacing_yx : tuple of float
        Height and width of a pixel, both in the same unit.
    curves : tuple of NoiseLevelFunction
        Noise level function of each sample; constant noise if empty.
    structured_yxs : ndarray, shape (Y, X, samples), or None
        What was subtracted from the intensities: the noise of whole rows and columns,
        and the fixed pattern of the camera.
    compressed_yxs : ndarray, shape (Y, X, samples), or None
        What was subtracted from the intensities to put back the noise that a
        compression had removed.
    regions : tuple of NoiseRegion
        Regions that differ in noise level and together cover the plane; empty if one
        noise model holds.
    level : SmoothLevel or None
        Map of the noise level, if it changes smoothly over the plane.
    fill_share : float
        Share of the plane that is constant fill, 0 to 1; it is not valid.
    pixel_offsets : tuple of float
        Standard deviation, for each sample or for all, of offsets of single pixels that
        stay in place over a series and were not subtracted.
    shares_noise : bool
        Whether the planes beside this one in a series have a part of its noise.
    hidden_in_context : bool
        Whether a pixel is noise in the planes beside as well, so that a network must
        not see it there: the offsets of pixels stand out of the noise.
    original : NoisyPlane or None
        The plane in the image's units, if this one was divided by the map of its level
        or by its factor in a stack.
        All other values are then those of the divided plane.
    """

    plane_yxs: NDArray[np.float64]
    valid_yx: NDArray[np.bool_]
    fitted_yx: NDArray[np.bool_]
    noise: NoiseModel
    spacing_yx: tuple[float, float] = (1.0, 1.0)
    curves: tuple[NoiseLevelFunction, ...] = field(default=(), repr=False)
    structured_yxs: NDArray[np.float64] | None = field(default=None, repr=False)
    compressed_yxs: NDArray[np.float64] | None = field(default=None, repr=False)
    regions: tuple[NoiseRegion, ...] = ()
    level: SmoothLevel | None = None
    fill_share: float = 0.0
    pixel_offsets: tuple[float, ...] = NO_OFFSETS
    shares_noise: bool = False
    hidden_in_context: bool = False
    original: NoisyPlane | None = field(default=None, repr=False)

    @property
    def isolated_count(self) -> int:
        """Number of valid pixels excluded from the fit."""
        return int(self.valid_yx.sum() - self.fitted_yx.sum())

    @property
    def input_yxs(self) -> NDArray[np.float64]:
        """The intensities as they were read, with structured noise."""
        if self.structured_yxs is None:
            return self.measured_yxs
        return self.measured_yxs + self.structured_yxs

    @property
    def measured_yxs(self) -> NDArray[np.float64]:
        """The intensities as they were read, without structured noise."""
        if self.compressed_yxs is None:
            return self.plane_yxs
        return self.plane_yxs + self.compressed_yxs

    @property
    def blind_radius(self) -> int:
        """Blind-spot radius, in pixels: 0 hides only the pixel itself.

        For correlated noise it hides all pixels that share noise with this one. A
        wider blind spot loses structure.
        """
        if not self.noise.correlated:
            return 0
        return max(self.noise.correlation_distance - 1, 1)

    @property
    def context_blind_radius(self) -> int:
        """Blind-spot radius in the planes beside, in pixels; -1 hides nothing."""
        return self.blind_radius if self.hidden_in_context else -1

    def cropped(self, window_yx: tuple[slice, slice]) -> NoisyPlane:
        """Return a crop of the plane, with the noise model of the whole plane.

        It is a copy, so that it does not keep the whole plane in memory.
        """

        def part(values: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
            return None if values is None else values[window_yx].copy()

        return replace(
            self,
            plane_yxs=self.plane_yxs[window_yx].copy(),
            structured_yxs=part(self.structured_yxs),
            compressed_yxs=part(self.compressed_yxs),
            valid_yx=self.valid_yx[window_yx].copy(),
            fitted_yx=self.fitted_yx[window_yx].copy(),
            regions=tuple(
                replace(one, mask_yx=one.mask_yx[window_yx].copy())
                for one in self.regions
            ),
            level=self.level and self.level.cropped(window_yx),
            original=self.original and self.original.cropped(window_yx),
        )

    def of_region(self, region: NoiseRegion) -> NoisyPlane:
        """Return the plane with the noise of a region; all others are invalid."""
        return replace(
            self,
            valid_yx=self.valid_yx & region.mask_yx,
            fitted_yx=self.fitted_yx & region.mask_yx,
            noise=region.noise,
            curves=region.curves,
            regions=(),
        )

    def evened(self) -> NoisyPlane:
        """Return the plane divided by the map of its noise level, if it has one.

        Its noise level is then the same everywhere. See `restored`.
        """
        level = self.level
        if level is None:
            return self
        scale = level.scale_yx[..., None]
        known = self.fitted_yx if self.fitted_yx.any() else np.ones_like(self.fitted_yx)
        typical = level.typical_scale(known)

        def part(values: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
            return None if values is None else values / scale

        return replace(
            self,
            plane_yxs=level.even(self.plane_yxs),
            structured_yxs=part(self.structured_yxs),
            compressed_yxs=part(self.compressed_yxs),
            noise=level.noise,
            curves=level.curves,
            level=None,
            pixel_offsets=tuple(one / typical for one in self.pixel_offsets),
            original=self,
        )

    def restored(self, plane_yxs: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return a result of this plane, (Y, X, samples), in the image's units."""
        if self.original is not None and self.original.level is not None:
            plane_yxs = self.original.level.restored(plane_yxs)
        return plane_yxs.astype(np.float32, copy=False)

    def curve(self, sample: int) -> NoiseLevelFunction:
        """Return the noise level function of a sample."""
        return (
            self.curves[sample]
            if self.curves
            else constant_level_function(self.noise.sigma)
        )

    def variance_stabilized(self) -> NDArray[np.float64]:
        """Return the variance-stabilized plane, (Y, X, samples)."""
        samples = range(self.plane_yxs.shape[-1])
        return variance_stabilized(self.plane_yxs, [self.curve(k) for k in samples])

    def residual_rms(self, plane_yxs: NDArray[np.floating]) -> float:
        """Return sqrt(MSE(result, noisy)) over the fitted pixels.

        Parameters
        ----------
        plane_yxs : ndarray, shape (Y, X, samples)
            Denoised plane, in the image's units. At least one pixel must be fitted.
        """
        residual = (plane_yxs - self.plane_yxs)[self.fitted_yx]
        return float(np.sqrt(np.mean(residual**2)))

    def variance(self, plane_yxs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the noise variance at clean intensities, (Y, X, samples).

        If one noise model holds for the plane, the intensities may be of any pixels.
        """
        if self.level is not None:
            of_even = self.evened().variance(self.level.even(plane_yxs))
            return self.level.scale_yx[..., None] ** 2 * of_even
        if self.regions:
            masks = [one.mask_yx[..., None] for one in self.regions]
            of_each = [self.of_region(one).variance(plane_yxs) for one in self.regions]
            return np.select(masks, of_each)
        samples = range(plane_yxs.shape[-1])
        parts = [self.curve(k).variance(plane_yxs[..., k]) for k in samples]
        return np.stack(parts, axis=-1)

    def positive_std(self, plane_yxs: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return the noise standard deviation at clean intensities, to divide by.

        Parameters
        ----------
        plane_yxs : ndarray, shape (Y, X, samples)
            Clean intensities, in the image's units.

        Returns
        -------
        ndarray of float64, shape (Y, X, samples)
            In the image's units, at least 2 % of the noise level.
        """
        least = _LEAST_STD * self.noise.sigma
        return np.maximum(np.sqrt(self.variance(plane_yxs)), least)
