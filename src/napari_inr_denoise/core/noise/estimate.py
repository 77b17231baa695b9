"""Estimate the noise model of the intensities of one plane."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from napari_inr_denoise.core.noise.anscombe import variance_stabilized
from napari_inr_denoise.core.noise.correlated.highest_frequencies import measure_highest
from napari_inr_denoise.core.noise.correlated.rank_filter import rank_filtered
from napari_inr_denoise.core.noise.correlated.regular import regular_structure
from napari_inr_denoise.core.noise.correlated.spectrum import (
    NoiseSpectrum,
    measure_spectrum,
)
from napari_inr_denoise.core.noise.level.bright_noise import with_bright_noise
from napari_inr_denoise.core.noise.level.chen import plane_level
from napari_inr_denoise.core.noise.level.level_function import (
    NoiseLevelFunction,
    constant_level_function,
    fill_invalid,
    measure_level_function,
    saturated_level_function,
)
from napari_inr_denoise.core.noise.model import NoiseModel

_CLIPPING_PEAK = 3
"""Histogram peak at the extreme value, over the next value's count: clipped from it."""
_MIN_DISTINCT_VALUES = 4
"""Minimum number of distinct values. A mask is not clipped."""
_MOST_SATURATED = 0.01
"""Fraction of saturated pixels above which the noise is measured without them."""
_MOST_OF_ALL = 1.1
"""Largest level of correlated noise, over the standard deviation of the plane. Noise
alone was measured at 1.06 at most. Fine stripes and rings that fill the plane give
larger values: they are structure, and the noise is taken for white."""
_FAINT = 0.1
"""Noise at the highest frequencies over correlated noise below which it may come from
rounding."""
_AFTER_RANK = (2.0, 0.33)
"""Largest spread (see `NoiseSpectrum`), and least noise at the highest frequencies over
correlated noise, after a rank filter. Medians of 9 and 25 pixels leave 0.41 and 0.34 of
the noise there; where there is less, there is texture."""
_MOST_OF_HIGHEST = 1.35
"""Largest level of white noise, over that at the highest frequencies, which hold all of
it. Noise that was shifted by a tenth of a pixel is still white enough, at 1.3."""
_MIN_CLIPPED = 1e-4
"""Fraction of the pixels below which a histogram peak is ignored."""


Examine = Callable[
    [NDArray[np.float64], NDArray[np.bool_]],
    tuple[NoiseModel, tuple[NoiseLevelFunction, ...]],
]
"""Function from intensities (Y, X, samples) and a valid mask (Y, X) to the noise model
and the noise level function of each sample, as `examine_plane`."""


def plane_noise(
    plane_yxs: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> NoiseModel:
    """Estimate the noise model of one plane, for white or correlated noise.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        Intensities; the values at invalid pixels are ignored.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels to use.

    Returns
    -------
    NoiseModel
        `sigma` is NaN if there are too few valid pixels.
    """
    return examine_plane(plane_yxs, valid_yx)[0]


def examine_plane(
    plane_yxs: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
    rows: Sequence[slice] = (),
) -> tuple[NoiseModel, tuple[NoiseLevelFunction, ...]]:
    """Return the noise model of a plane and the noise level function of each sample.

    Parameters
    ----------
    plane_yxs, valid_yx : ndarray
        As for `plane_noise`.
    rows : sequence of slice
        Rows of each plane, if several were joined below each other.

    Returns
    -------
    model : NoiseModel
        Of all samples combined.
    curves : tuple of NoiseLevelFunction
        One per sample; constant where signal dependence cannot be measured.
    """
    level = plane_level(plane_yxs, valid_yx)
    samples = range(plane_yxs.shape[-1])
    if math.isnan(level) or level == 0:
        return _white(level), tuple(constant_level_function(level) for _ in samples)
    found = [_spectrum(plane_yxs[..., k], valid_yx, rows) for k in samples]
    spectra, grain = [one for one, _ in found], max(grain for _, grain in found)
    known = [one for one in spectra if one is not None]
    if 2 * sum(one.correlated for one in known) > len(spectra):
        model = NoiseModel(
            level,
            correlated=True,
            sigma_neighbours=level,
            correlation_distance=max(one.distance for one in known),
        )
        model, used = _with_curves(
            model,
            [None if one is None else one.level_function for one in spectra],
            plane_yxs,
            valid_yx,
        )
        if not _is_more_than_all(model.sigma**2, plane_yxs, valid_yx):
            # Chen's estimate holds for white noise only.
            return replace(model, sigma_chen=model.sigma), used
    model, used = _examine_white(level, plane_yxs, valid_yx)
    return replace(model, grain=grain), used


def examine_white(
    plane_yxs: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> tuple[NoiseModel, tuple[NoiseLevelFunction, ...]]:
    """Return the noise of a plane whose noise is known to be white.

    Parameters and values are those of `examine_plane`. Whether neighbouring pixels
    share noise is not tested.
    """
    return _examine_white(plane_level(plane_yxs, valid_yx), plane_yxs, valid_yx)


def _examine_white(
    level: float, plane_yxs: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> tuple[NoiseModel, tuple[NoiseLevelFunction, ...]]:
    samples = range(plane_yxs.shape[-1])
    curves = [_level_function(plane_yxs[..., k], valid_yx) for k in samples]
    return _with_curves(_white(level), curves, plane_yxs, valid_yx)


def _spectrum(
    plane_yx: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
    rows: Sequence[slice],
) -> tuple[NoiseSpectrum | None, float]:
    """Return the spectrum of the noise without structure, and the level of its grain.

    The spectrum is None if the correlated part may be texture. The noise is then taken
    for white, and the correlated part is the grain; otherwise that is 0.
    """
    found = measure_spectrum(plane_yx, valid_yx)
    if found is not None and found.falls and not found.correlated:
        found = _with_spread_of_planes(found, plane_yx, valid_yx, rows)
    if found is None:
        return None, 0.0
    smooth = uniform_filter(fill_invalid(plane_yx, valid_yx), 5)
    variances = found.level_function.variance(smooth)
    variance = float(variances[valid_yx].mean())
    level = math.sqrt(variance)
    if _is_after_rank_filter(found.spread, level, plane_yx, valid_yx):
        found = replace(found, rank_filtered=True)
    if not found.correlated or _is_more_than_all(variance, plane_yx, valid_yx):
        return found, 0.0
    highest = None if found.is_no_texture else measure_highest(plane_yx, valid_yx)
    if highest is not None and highest.sigma < _FAINT * level:
        # What values that were rounded or cut off after a filter add is no noise.
        highest = None if found.oscillates else highest
    if highest is not None and highest.is_white(level):
        return None, math.sqrt(max(variance - highest.sigma**2, 0.0))
    regular = regular_structure(plane_yx, valid_yx, variances)
    if regular is None:
        return found, 0.0
    structure, known = regular
    return measure_spectrum(plane_yx, known, structure), 0.0


def _is_after_rank_filter(
    spread: float,
    level: float,
    plane_yx: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
) -> bool:
    """Return whether a rank filter has left correlated noise, and no texture."""
    most, least = _AFTER_RANK
    if spread > most or not rank_filtered(plane_yx, valid_yx):
        return False
    highest = measure_highest(plane_yx, valid_yx)
    return highest is not None and highest.sigma > least * level


def _with_spread_of_planes(
    found: NoiseSpectrum,
    plane_yx: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
    rows: Sequence[slice],
) -> NoiseSpectrum:
    """Return the spectrum of joined planes with the median spread of a single one.

    Planes may differ in level, and are not more textured for that.
    """
    each = [measure_spectrum(plane_yx[one], valid_yx[one]) for one in rows]
    spreads = [one.spread for one in each if one is not None]
    return replace(found, spread=float(np.median(spreads))) if spreads else found


def _is_more_than_all(
    variance: float, plane: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> bool:
    """Return whether correlated noise is said to have more contrast than the plane."""
    contrast = float(np.mean(plane[valid_yx].std(axis=0, dtype=float) ** 2))
    return variance > _MOST_OF_ALL**2 * contrast


def _with_curves(
    model: NoiseModel,
    curves: Sequence[NoiseLevelFunction | None],
    plane_yxs: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
) -> tuple[NoiseModel, tuple[NoiseLevelFunction, ...]]:
    """Return the model with the curves, and these; constant where one is not known."""
    level = model.sigma
    usable = tuple(curve or constant_level_function(level) for curve in curves)
    if all(curves):
        model = apply_curves(model, usable, plane_yxs, valid_yx)
    return model, usable


def _level_function(
    plane_yx: NDArray[np.floating], valid_yx: NDArray[np.bool_]
) -> NoiseLevelFunction | None:
    """Return the noise level function of white noise; None if it cannot be measured.

    Saturated pixels have no noise. Patches that hold one are left out.
    """
    if _clipped(plane_yx[valid_yx])[1] > _MOST_SATURATED:
        limit = float(plane_yx[valid_yx].max())
        curve = measure_level_function(plane_yx, valid_yx & (plane_yx < limit))
        if curve is not None:
            return saturated_level_function(curve, limit)
    curve = measure_level_function(plane_yx, valid_yx)
    if curve is None:
        return None
    curve = with_bright_noise(curve, plane_yx, valid_yx)
    highest = measure_highest(plane_yx, valid_yx)
    if highest is None or not highest.is_level:
        return curve
    smooth = uniform_filter(fill_invalid(plane_yx, valid_yx), 5)
    variance = float(curve.variance(smooth[valid_yx]).mean())
    # Where quiet patches are textured, the rest is structure.
    texture = variance > (_MOST_OF_HIGHEST * highest.sigma) ** 2
    return curve.times(highest.sigma**2 / variance) if texture else curve


def _white(level: float) -> NoiseModel:
    return NoiseModel(level, correlated=False, sigma_neighbours=level)


def apply_curves(
    model: NoiseModel,
    curves: tuple[NoiseLevelFunction, ...],
    plane_yxs: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
) -> NoiseModel:
    """Return the model with values from the noise level functions, sample averages."""
    filled = (fill_invalid(plane_yxs[..., k], valid_yx) for k in range(len(curves)))
    smooth = [uniform_filter(plane, 5) for plane in filled]
    variances = [
        float(curve.variance(plane[valid_yx]).mean())
        for curve, plane in zip(curves, smooth, strict=True)
    ]
    dark = float(np.mean([np.quantile(plane[valid_yx], 0.005) for plane in smooth]))
    gain = float(np.mean([curve.gain for curve in curves]))
    at_zero = float(np.mean([curve.variance_at_zero for curve in curves]))
    # A negative variance at 0 implies an offset: the intensity of the darkest pixels.
    offset = max(dark, -at_zero / gain) if gain > 0 > at_zero else 0.0
    low, high = _clipped(plane_yxs[valid_yx])
    return replace(
        model,
        sigma=math.sqrt(float(np.mean(variances))),
        gain=gain,
        variance_at_zero=at_zero,
        offset=offset,
        read_noise=math.sqrt(max(gain * offset + at_zero, 0.0)),
        stabilised_sigma=_stabilized_level(plane_yxs, valid_yx, model, curves),
        clipped_low=low,
        clipped_high=high,
    )


def _stabilized_level(
    plane_yxs: NDArray[np.floating],
    valid_yx: NDArray[np.bool_],
    model: NoiseModel,
    curves: tuple[NoiseLevelFunction, ...],
) -> float:
    """Return Chen's estimate after the generalized Anscombe transform; about 1."""
    if any(curve.gain <= 0 for curve in curves):
        return math.nan
    apart = model.correlation_distance
    stabilized = variance_stabilized(plane_yxs, curves)[::apart, ::apart]
    return plane_level(stabilized, valid_yx[::apart, ::apart])


def _clipped(values: NDArray[np.floating]) -> tuple[float, float]:
    """Return the fractions of pixels clipped at the lowest and at the highest value.

    Clipping shows as a histogram peak: several times the pixels of the next value.
    """
    _, counts = np.unique(values, return_counts=True)
    if len(counts) < _MIN_DISTINCT_VALUES:
        return 0.0, 0.0

    def peak(last: int, before: int) -> float:
        share = float(last / values.size)
        clipped = last >= _CLIPPING_PEAK * before and share >= _MIN_CLIPPED
        return share if clipped else 0.0

    return peak(counts[0], counts[1]), peak(counts[-1], counts[-2])
