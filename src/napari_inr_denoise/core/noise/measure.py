"""Measure the noise of an image, plane by plane, and its hot pixels."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_inr_denoise.core.noise.defects.fill import measured_pixels
from napari_inr_denoise.core.noise.defects.hot_pixels import isolated_pixels
from napari_inr_denoise.core.noise.defects.jpeg import without_jpeg_rounding
from napari_inr_denoise.core.noise.defects.structured import without_structured_noise
from napari_inr_denoise.core.noise.estimate import examine_plane
from napari_inr_denoise.core.noise.level.level_function import constant_level_function
from napari_inr_denoise.core.noise.model import NoiseModel, combine_noise
from napari_inr_denoise.core.noise.noisy_plane import (
    NoiseRegion,
    NoisyPlane,
    SmoothLevel,
)
from napari_inr_denoise.core.noise.regions import noisier_region, sharpened
from napari_inr_denoise.core.noise.smooth_level import smooth_level
from napari_inr_denoise.image.axes import planes_of, resolve_axes
from napari_inr_denoise.image.conversion import as_array, check_image, to_floats

_MAX_NOISE = 2.0
"""Largest noise level over the standard deviation of the fitted pixels.

A higher level means that hot pixels were measured as noise. This happens in tiny
images, where every patch contains one.
"""
_MOST_SPLITS = 3
"""Number of times that a region is split one after the other: up to eight levels."""
_SLOPE = 1.35
"""Factor between the variances of two parts of a plane at equal intensity from which a
change of the level is looked for: a smooth one, or steps."""
_LEVELS = (0.05, 0.95)
"""Quantiles of a level that changes smoothly, which are reported."""
_MAX_DEVIATION = 1e6
"""Largest deviation of a pixel over the standard deviation of the fitted pixels.

Above it, sums of squares lose the noise by rounding. 16-bit images never reach it.
"""


def estimate_noise(image: ArrayLike, axes: str | None = None) -> NoiseModel:
    """Estimate the noise of a plane or a stack.

    Parameters
    ----------
    image : array_like
        Real numbers; any shape that `axes` describes. Non-finite pixels are left out.
    axes : str, optional
        One letter per dimension out of T, C, Z, Y, X, S (S: RGB samples). The default
        is the last letters of "TCZYX".

    Returns
    -------
    NoiseModel
        In the image's own intensity units. For a stack, the level is the root mean
        square over the planes with a known level, `correlated` is the majority of
        these planes, and gain, offset and read noise are medians.

    Raises
    ------
    TypeError, ValueError
        If the image is complex, empty, or does not fit `axes`.
    """
    return combine_noise([model for _, model in noise_of_planes(image, axes)])


def noise_of_planes(
    image: ArrayLike, axes: str | None = None
) -> list[tuple[dict[str, int], NoiseModel]]:
    """Return the index and the noise model of each plane; see `estimate_noise`."""
    array = as_array(image)
    axes = resolve_axes(array.ndim, axes)
    check_image(array)
    models = []
    for plane in planes_of(axes, array.shape):
        values, finite = to_floats(plane.samples_yxs(array[plane.selection]))
        valid = np.asarray(finite.all(axis=-1))
        models.append((plane.index, measure_plane(values, valid).noise))
    return models


def measure_plane(
    values_yxs: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    spacing_yx: tuple[float, float] = (1.0, 1.0),
    pattern_yxs: NDArray[np.float64] | None = None,
) -> NoisyPlane:
    """Return a plane with its noise model.

    Constant fill is no part of it, and hot and dead pixels are not fitted. Noise that
    JPEG compression has removed is put back.

    Parameters
    ----------
    values_yxs, valid_yx : ndarray
        As for `examine_plane`.
    spacing_yx : tuple of float
        Height and width of a pixel, both in the same unit.
    pattern_yxs : ndarray, shape (Y, X, samples), or None
        Fixed pattern of the camera, which is subtracted.
    """
    # First of all: dark blocks that were rounded to one value are no fill.
    values_yxs, compressed = without_jpeg_rounding(values_yxs, valid_yx)
    valid_yx, fill_share = measured_pixels(values_yxs, valid_yx)
    values_yxs, removed = without_structured_noise(values_yxs, valid_yx, pattern_yxs)
    noise, curves = examine_plane(values_yxs, valid_yx)
    problem = NoisyPlane(
        values_yxs,
        valid_yx,
        valid_yx,
        noise,
        spacing_yx,
        curves,
        removed,
        compressed,
        fill_share=fill_share,
    )
    fitted = valid_yx & ~isolated_pixels(_with_limited_level(problem))
    if _is_distorted(noise.sigma, values_yxs[valid_yx], values_yxs[fitted]):
        noise, curves = examine_plane(values_yxs, fitted)
    problem = replace(problem, fitted_yx=fitted, noise=noise, curves=curves)
    return problem if noise.correlated else _with_regions(problem)


def _with_regions(problem: NoisyPlane) -> NoisyPlane:
    """Return the plane with the regions that differ in noise level, if there are any.

    The hot pixels of each region are found by its own level.
    """
    if not problem.noise.sigma > 0:
        return problem
    plane, valid = problem.plane_yxs, problem.fitted_yx
    if noisier_region(plane, valid, problem.curves, _SLOPE) is None:
        return problem
    whole = NoiseRegion(np.ones_like(valid), problem.noise, problem.curves)
    regions = _split(plane, valid, whole, _MOST_SPLITS)
    level = smooth_level(plane, valid, whole, regions)
    if level is not None:
        return _with_level(problem, level)
    if len(regions) == 1:
        return problem
    masks = sharpened(plane, valid, regions)
    regions = [replace(one, mask_yx=m) for one, m in zip(regions, masks, strict=True)]
    fitted = np.zeros_like(valid)
    for region in regions:
        part = problem.of_region(region)
        fitted |= part.valid_yx & ~isolated_pixels(part)
    noise = _of_regions(problem.noise, regions, fitted)
    return replace(problem, fitted_yx=fitted, noise=noise, regions=tuple(regions))


def _with_level(problem: NoisyPlane, level: SmoothLevel) -> NoisyPlane:
    """Return the plane with a noise level that changes smoothly.

    Hot pixels are found where the level is the same everywhere.
    """
    even = problem.evened(level)
    fitted = problem.valid_yx & ~isolated_pixels(even)
    variance = even.variance(even.plane_yxs).mean(axis=-1) * level.scale_yx**2
    sigma = math.sqrt(float(variance[fitted].mean()))
    typical = level.typical_scale(fitted)
    levels = sigma * np.quantile(level.scale_yx[fitted], _LEVELS) / typical
    noise = replace(
        problem.noise,
        sigma=sigma,
        levels=tuple(levels.tolist()),
        grain=level.noise.grain * typical,
    )
    return replace(problem, fitted_yx=fitted, noise=noise, level=level)


def _split(
    plane_yxs: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    region: NoiseRegion,
    splits: int,
) -> list[NoiseRegion]:
    """Return a region, or the regions of other noise levels that it consists of."""
    inside = valid_yx & region.mask_yx
    if splits == 0 or region.noise.correlated:
        return [region]
    noisy = noisier_region(plane_yxs, inside, region.curves)
    if noisy is None:
        return [region]
    masks = region.mask_yx & noisy, region.mask_yx & ~noisy
    parts = [NoiseRegion(m, *examine_plane(plane_yxs, valid_yx & m)) for m in masks]
    return [
        one for part in parts for one in _split(plane_yxs, valid_yx, part, splits - 1)
    ]


def _of_regions(
    whole: NoiseModel, regions: list[NoiseRegion], fitted_yx: NDArray[np.bool_]
) -> NoiseModel:
    """Return the noise model of a plane with the levels of its regions."""
    counts = [int((one.mask_yx & fitted_yx).sum()) for one in regions]
    levels = np.array([one.noise.sigma for one in regions])
    level = math.sqrt(float(np.average(levels**2, weights=counts)))
    grain = [one.noise.grain for one in regions]
    return replace(
        whole,
        sigma=level,
        levels=tuple(sorted(levels.tolist())),
        grain=math.sqrt(float(np.average(np.square(grain), weights=counts))),
    )


def _with_limited_level(problem: NoisyPlane) -> NoisyPlane:
    """Return the plane with a noise level that the spread of its values allows.

    Noise of one level spreads all values at least as far. In a tiny plane, one extreme
    pixel is in every patch, and the level is that of the pixel.
    """
    values = problem.plane_yxs[problem.valid_yx]
    if not len(values) or any(curve.gain > 0 for curve in problem.curves):
        return problem
    away = np.abs(values - np.median(values, axis=0))
    spread = 1.4826 * float(np.median(away))
    if not 0 < _MAX_NOISE * spread < problem.noise.sigma:
        return problem
    curves = tuple(constant_level_function(spread) for _ in problem.curves)
    return replace(problem, curves=curves)


def _is_distorted(
    sigma: float, valid: NDArray[np.float64], fitted: NDArray[np.float64]
) -> bool:
    """Return whether hot pixels (valid, not fitted) have distorted the noise level."""
    if len(fitted) == 0 or len(fitted) == len(valid):
        return False
    spread, farthest = fitted.std(), np.abs(valid - fitted.mean(axis=0)).max()
    return bool(sigma > _MAX_NOISE * spread or farthest > _MAX_DEVIATION * spread)
