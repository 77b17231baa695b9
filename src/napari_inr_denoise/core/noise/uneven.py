"""Noise whose level differs from place to place: in regions, or smoothly."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.defects.hot_pixels import isolated_pixels
from napari_inr_denoise.core.noise.estimate import Examine, examine_plane
from napari_inr_denoise.core.noise.level.level_function import NoiseLevelFunction
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import (
    NoiseRegion,
    NoisyPlane,
    SmoothLevel,
)
from napari_inr_denoise.core.noise.regions import (
    APART,
    TwoParts,
    noisier_region,
    sharpened,
    two_parts,
)
from napari_inr_denoise.core.noise.smooth_level import smooth_level

_MOST_SPLITS = 3
"""Number of times that a region is split one after the other: up to eight levels."""
SLOPE = 1.35
"""Factor between the variances of two parts of a plane at equal intensity from which a
change of the level is looked for: a smooth one, or steps."""
_LEVELS = (0.05, 0.95)
"""Quantiles of a level that changes smoothly, which are reported."""


def uneven_noise(
    plane_yxs: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    noise: NoiseModel,
    curves: tuple[NoiseLevelFunction, ...],
    examine: Examine = examine_plane,
) -> SmoothLevel | tuple[NoiseRegion, ...] | None:
    """Return how the noise level differs from place to place.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        Intensities.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels to use.
    noise : NoiseModel
        Noise of the whole plane, from `examine`.
    curves : tuple of NoiseLevelFunction
        Noise level function of each sample, from `examine`.
    examine : Examine
        Measures the noise of a plane or of a part of it.

    Returns
    -------
    SmoothLevel, tuple of NoiseRegion, or None
        The map of a level that changes smoothly; or two and more regions of one level
        each; or None if the level is the same everywhere.
    """
    if not noise.sigma > 0:
        return None
    parts = two_parts(plane_yxs, valid_yx, curves)
    if parts is None:
        return None
    if not (parts.differ(SLOPE) and parts.differ_in_noise):
        return _correlated_parts(plane_yxs, valid_yx, noise, parts, examine)
    whole = NoiseRegion(np.ones_like(valid_yx), noise, curves)
    regions = _split(plane_yxs, valid_yx, whole, _MOST_SPLITS, examine)
    level = smooth_level(plane_yxs, valid_yx, whole, regions, examine)
    if level is not None:
        return level
    return tuple(regions) if len(regions) > 1 else None


def _correlated_parts(
    plane_yxs: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    noise: NoiseModel,
    apart: TwoParts,
    examine: Examine,
) -> tuple[NoiseRegion, ...] | None:
    """Return two parts whose noise is correlated, although that of the plane is not.

    Noise of two levels differs from place to place, as texture does, and passes for it.
    Within each part it is the same everywhere. The spectrum of each part must explain
    what the noisier one has beyond the other: that of texture does not.
    """
    if noise.correlated or not apart.differ(APART):
        return None
    parts: list[NoiseRegion] = []
    for mask in (~apart.noisier_yx, apart.noisier_yx):
        parts.append(NoiseRegion(mask, *examine(plane_yxs, valid_yx & mask)))
        if not parts[-1].noise.correlated:
            return None
    explained = (
        noisier_region(plane_yxs, valid_yx, one.curves) is not None for one in parts
    )
    return tuple(parts) if all(explained) else None


def _split(
    plane_yxs: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    region: NoiseRegion,
    splits: int,
    examine: Examine,
) -> list[NoiseRegion]:
    """Return a region, or the regions of other noise levels that it consists of."""
    inside = valid_yx & region.mask_yx
    if splits == 0:
        return [region]
    noisy = noisier_region(plane_yxs, inside, region.curves)
    if noisy is None:
        return [region]
    masks = region.mask_yx & noisy, region.mask_yx & ~noisy
    parts = [NoiseRegion(m, *examine(plane_yxs, valid_yx & m)) for m in masks]
    return [
        one
        for part in parts
        for one in _split(plane_yxs, valid_yx, part, splits - 1, examine)
    ]


def with_regions(problem: NoisyPlane, regions: tuple[NoiseRegion, ...]) -> NoisyPlane:
    """Return a plane with regions that differ in noise level.

    Their borders are sharpened, and hot pixels are found by the level of each.

    Parameters
    ----------
    problem : NoisyPlane
        The plane with one noise model, in the image's units.
    regions : tuple of NoiseRegion
        From `uneven_noise`; they cover the plane.
    """
    plane, valid = problem.plane_yxs, problem.fitted_yx
    masks = sharpened(plane, valid, regions)
    regions = tuple(
        replace(one, mask_yx=mask) for one, mask in zip(regions, masks, strict=True)
    )
    fitted = np.zeros_like(valid)
    for region in regions:
        part = problem.of_region(region)
        fitted |= part.valid_yx & ~isolated_pixels(part)
    noise = _of_regions(problem.noise, regions, fitted)
    return replace(problem, fitted_yx=fitted, noise=noise, regions=regions)


def _of_regions(
    whole: NoiseModel,
    regions: tuple[NoiseRegion, ...],
    fitted_yx: NDArray[np.bool_],
) -> NoiseModel:
    """Return the noise model of a plane with the levels of its regions."""
    counts = [int((one.mask_yx & fitted_yx).sum()) for one in regions]
    levels = np.array([one.noise.sigma for one in regions])
    level = math.sqrt(float(np.average(levels**2, weights=counts)))
    grain = [one.noise.grain for one in regions]
    correlated = any(one.noise.correlated for one in regions)
    return replace(
        whole,
        sigma=level,
        sigma_chen=level if correlated else whole.sigma_chen,
        correlated=correlated,
        correlation_distance=max(one.noise.correlation_distance for one in regions),
        levels=tuple(sorted(levels.tolist())),
        grain=math.sqrt(float(np.average(np.square(grain), weights=counts))),
    )


def with_level(problem: NoisyPlane, level: SmoothLevel) -> NoisyPlane:
    """Return a plane with a noise level that changes smoothly.

    Hot pixels are found in the plane divided by the map.

    Parameters
    ----------
    problem : NoisyPlane
        The plane with one noise model, in the image's units.
    level : SmoothLevel
        From `uneven_noise`, with a map of the plane's shape.
    """
    problem = replace(problem, level=level)
    even = problem.evened()
    fitted = problem.valid_yx & ~isolated_pixels(even)
    if not fitted.any():
        return replace(problem, fitted_yx=fitted)
    variance = even.variance(even.plane_yxs).mean(axis=-1) * level.scale_yx**2
    sigma = math.sqrt(float(variance[fitted].mean()))
    typical = level.typical_scale(fitted)
    levels = sigma * np.quantile(level.scale_yx[fitted], _LEVELS) / typical
    noise = replace(
        problem.noise,
        sigma=sigma,
        sigma_chen=sigma if level.noise.correlated else problem.noise.sigma_chen,
        correlation_distance=level.noise.correlation_distance,
        levels=tuple(levels.tolist()) if np.ptp(level.scale_yx) > 0 else (),
        grain=level.noise.grain * typical,
    )
    return replace(problem, fitted_yx=fitted, noise=noise)
