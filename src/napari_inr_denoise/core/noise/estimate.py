"""The noise of an image, estimated from the image alone."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import uniform_filter

from napari_inr_denoise.core.noise.anscombe import variance_stabilized
from napari_inr_denoise.core.noise.chen import lattice_level, plane_level
from napari_inr_denoise.core.noise.level_function import (
    NoiseLevelFunction,
    constant_level_function,
    fill_invalid,
    measure_level_function,
)
from napari_inr_denoise.core.noise.model import NoiseModel, combine_noise
from napari_inr_denoise.image.axes import planes_of, resolve_axes
from napari_inr_denoise.image.conversion import as_array, check_image, to_floats

_CORRELATED_ABOVE = 1.8
"""Sub-lattice over plain estimate above which the noise counts as correlated.

Measured on the FMD set: 2.4 to 3.1 on wide-field images, whose noise is correlated
between neighbours, and at most 1.26 on all others.
"""
_CORRELATED_STRIDE = 3
"""Distance of pixels whose noise is taken for independent where it is correlated."""
_LAST_STRIDE = 4
"""Distance of pixels up to which white sub-lattices are looked for."""
_STILL_RISING = 1.05
"""A sub-lattice's level over that of the one before, up to which that one is white."""
_STRUCTURE_ABOVE = 1.25
"""Third over second sub-lattice above which it is structure that they see, not noise.

1.01 to 1.11 on wide-field frames; 1.3 and 2.4 on low-noise images.
"""
_HEAP = 3
"""Pixels at the last value over those at the next, from which the last is cut off."""
_LEVELS_OF_A_HEAP = 4
"""Different values that an image has at least; a mask is not cut off."""
_LEAST_CLIPPED = 1e-4
"""Share of the pixels below which a heap is passed over."""


def estimate_noise(image: ArrayLike, axes: str | None = None) -> NoiseModel:
    """Estimate the noise of a plane or a stack.

    Parameters
    ----------
    image : array_like
        Real numbers; any shape that `axes` describes. Pixels that are not finite
        are left out.
    axes : str, optional
        One letter per dimension out of T, C, Z, Y, X, S (S: RGB samples); the last
        of "TCZYX" when omitted.

    Returns
    -------
    NoiseModel
        In the image's own intensity units. Of a stack: the root mean square of its
        planes' levels where they are known, correlated if most of these planes are;
        the median of gain, offset and read noise.

    Raises
    ------
    TypeError, ValueError
        If the image is complex, empty, or does not fit `axes`.
    """
    return combine_noise([model for _, model in noise_of_planes(image, axes)])


def noise_of_planes(
    image: ArrayLike, axes: str | None = None
) -> list[tuple[dict[str, int], NoiseModel]]:
    """Return the index and the noise of each plane; see `estimate_noise`."""
    array = as_array(image)
    axes = resolve_axes(array.ndim, axes)
    check_image(array)
    models = []
    for plane in planes_of(axes, array.shape):
        values, finite = to_floats(plane.colours_yxs(array[plane.selection]))
        valid = np.asarray(finite.all(axis=-1))
        models.append((plane.index, plane_noise(values, valid)))
    return models


def plane_noise(
    plane_yxs: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> NoiseModel:
    """Estimate the noise of one plane, correlated or not.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        Intensities; the values at invalid pixels are ignored.
    valid_yx : ndarray of bool, shape (Y, X)
        Which pixels count.

    Returns
    -------
    NoiseModel
        `sigma` is NaN where too little of the image is valid to tell.
    """
    return examine_plane(plane_yxs, valid_yx)[0]


def examine_plane(
    plane_yxs: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> tuple[NoiseModel, tuple[NoiseLevelFunction, ...]]:
    """Return the noise of a plane, and how it grows with the signal in each sample.

    Parameters
    ----------
    plane_yxs, valid_yx : ndarray
        As for `plane_noise`.

    Returns
    -------
    model : NoiseModel
        Of all samples together.
    curves : tuple of NoiseLevelFunction
        One a sample; the same noise everywhere where more cannot be told.
    """
    model = _white_or_correlated(plane_yxs, valid_yx)
    if math.isnan(model.sigma) or model.sigma == 0:
        return model, tuple(
            constant_level_function(model.sigma) for _ in plane_yxs[0, 0]
        )
    curves, measured = _curves(plane_yxs, valid_yx, model)
    if model.correlated and measured and not _confirmed(model, curves):
        model = _white(model.sigma_neighbours)
        curves, measured = _curves(plane_yxs, valid_yx, model)
    if measured:
        model = apply_curves(model, curves, plane_yxs, valid_yx)
    return model, curves


def _curves(
    plane_yxs: NDArray[np.floating], valid_yx: NDArray[np.bool_], model: NoiseModel
) -> tuple[tuple[NoiseLevelFunction, ...], bool]:
    """Return each sample's curve, and whether all of them could be measured."""
    apart = _CORRELATED_STRIDE if model.correlated else 1
    found = [
        measure_level_function(
            plane_yxs[::apart, ::apart, k], valid_yx[::apart, ::apart]
        )
        for k in range(plane_yxs.shape[-1])
    ]
    return tuple(curve or constant_level_function(model.sigma) for curve in found), all(
        found
    )


def _white(level: float) -> NoiseModel:
    return NoiseModel(level, correlated=False, sigma_neighbours=level)


def _confirmed(model: NoiseModel, curves: tuple[NoiseLevelFunction, ...]) -> bool:
    """Return whether patches without texture, too, hold noise that lattices show."""
    typical = [float(np.median(curve.variances)) for curve in curves]
    level = math.sqrt(max(float(np.mean(typical)), 0.0))
    return level > _CORRELATED_ABOVE * model.sigma_neighbours


def apply_curves(
    model: NoiseModel,
    curves: tuple[NoiseLevelFunction, ...],
    plane_yxs: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
) -> NoiseModel:
    """Return the model with what the curves say; of several samples their mean."""
    filled = (fill_invalid(plane_yxs[..., k], valid_yx) for k in range(len(curves)))
    smooth = [uniform_filter(plane, 5) for plane in filled]
    variances = [
        float(curve.variance(plane[valid_yx]).mean())
        for curve, plane in zip(curves, smooth, strict=True)
    ]
    dark = float(np.mean([np.quantile(plane[valid_yx], 0.005) for plane in smooth]))
    gain = float(np.mean([curve.gain for curve in curves]))
    at_zero = float(np.mean([curve.variance_at_zero for curve in curves]))
    # Below zero at zero: an offset. The darkest places are taken to be without light.
    offset = max(dark, -at_zero / gain) if gain > 0 > at_zero else 0.0
    low, high = _clipped(plane_yxs[valid_yx])
    return replace(
        model,
        sigma=math.sqrt(float(np.mean(variances))),
        gain=gain,
        variance_at_zero=at_zero,
        offset=offset,
        read_noise=math.sqrt(max(gain * offset + at_zero, 0.0)),
        stabilised_sigma=_stabilised_level(plane_yxs, valid_yx, model, curves),
        clipped_low=low,
        clipped_high=high,
    )


def _stabilised_level(
    plane_yxs: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
    model: NoiseModel,
    curves: tuple[NoiseLevelFunction, ...],
) -> float:
    """Return Chen's estimate after the generalised Anscombe transform."""
    if any(curve.gain <= 0 for curve in curves):
        return math.nan
    apart = _CORRELATED_STRIDE if model.correlated else 1
    stabilised = variance_stabilized(plane_yxs, curves)[::apart, ::apart]
    return plane_level(stabilised, valid_yx[::apart, ::apart])


def _clipped(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return the shares of pixels heaped up at the lowest and at the highest value.

    A heap holds several times as many pixels as the next value has.
    """
    _, counts = np.unique(values, return_counts=True)
    if len(counts) < _LEVELS_OF_A_HEAP:
        return 0.0, 0.0

    def heap(last: int, before: int) -> float:
        share = float(last / values.size)
        return share if last >= _HEAP * before and share >= _LEAST_CLIPPED else 0.0

    return heap(counts[0], counts[1]), heap(counts[-1], counts[-2])


def _white_or_correlated(
    plane_yxs: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> NoiseModel:
    """Return Chen's level of the plane, or of its sub-lattices where that is higher."""
    plain = plane_level(plane_yxs, valid_yx)
    level = lattice_level(plane_yxs, valid_yx, 2)
    white = _white(plain)
    if not (plain > 0 and level > _CORRELATED_ABOVE * plain):
        return white
    distance, next_level = 2, lattice_level(plane_yxs, valid_yx, 3)
    if next_level > _STRUCTURE_ABOVE * level:
        return white
    # The first lattice whose level the next one does not surpass is white.
    while distance < _LAST_STRIDE and next_level > _STILL_RISING * level:
        distance, level = distance + 1, next_level
        next_level = lattice_level(plane_yxs, valid_yx, distance + 1)
    return NoiseModel(
        level, correlated=True, sigma_neighbours=plain, correlation_distance=distance
    )
