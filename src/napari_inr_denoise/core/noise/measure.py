"""Measure the noise of an image, plane by plane, and its hot pixels."""

from __future__ import annotations

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
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane, SmoothLevel
from napari_inr_denoise.core.noise.uneven import (
    uneven_noise,
    with_level,
    with_regions,
)
from napari_inr_denoise.image.axes import planes_of, resolve_axes
from napari_inr_denoise.image.repeats import without_repeats
from napari_inr_denoise.image.source import ImageSource

_MAX_NOISE = 2.0
"""Largest noise level over the standard deviation of the fitted pixels.

A higher level means that hot pixels were measured as noise. This happens in tiny
images, where every patch contains one.
"""
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
    source = ImageSource(image)
    axes = resolve_axes(source.ndim, axes)
    source, *_ = without_repeats(source, axes, (1.0, 1.0, 1.0))
    models = []
    for plane in planes_of(axes, source.shape):
        height, width = plane.shape_yx(source.shape)
        values, valid = source.read(plane, (slice(0, height), slice(0, width)))
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
    found = uneven_noise(values_yxs, fitted, noise, curves)
    if isinstance(found, SmoothLevel):
        return with_level(problem, found)
    return with_regions(problem, found) if found else problem


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
