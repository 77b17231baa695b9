"""Noise whose level changes smoothly over a plane, as after a vignetting correction.

Where a plane was multiplied by a smooth field, the noise variance at equal intensity
changes from place to place. Divided by the right map, it has one noise model again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dctn, idctn
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.noise.estimate import Examine, examine_plane
from napari_inr_denoise.core.noise.level.level_function import NoiseLevelFunction
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.noise.noisy_plane import NoiseRegion, SmoothLevel
from napari_inr_denoise.core.noise.regions import log_powers, unlikely

_SHARE = 8
"""Sides of the plane over the width of the blur of the map. Without the polynomial, and
in two rounds, a quarter left 0.3 of the changes (as a logarithm) of a vignetting, an
eighth and a twelfth 0.13."""
_NARROWEST = 12.0
"""Smallest width of the blur, in pixels: the variance of fewer pixels is uncertain."""
_POWERS = [(0, 0), (0, 1), (1, 0), (0, 2), (1, 1), (2, 0)]
"""Powers of y and x in a polynomial of second degree."""
_LEAST = 0.12
"""Smallest standard deviation of the logarithm of the map in the first round."""
_BORDER, _INSIDE = 6.0, 0.75
"""Width of the blur of a mask, in pixels, and what is left of it inside of a region."""
_ROUNDS = 3
"""The map follows from the noise model, and the model from the plane without it. Each
round adds to the map what the blur had taken away. On 150 planes the map was off by
0.169 after two rounds, and by 0.163 after three (as a logarithm)."""


def smooth_level(
    plane_yxs: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    whole: NoiseRegion,
    regions: Sequence[NoiseRegion],
    examine: Examine = examine_plane,
) -> SmoothLevel | None:
    """Return the smooth map of the noise level; None if it changes in steps.

    Parameters
    ----------
    plane_yxs : ndarray, shape (Y, X, samples)
        Intensities.
    valid_yx : ndarray of bool, shape (Y, X)
        Pixels to use.
    whole : NoiseRegion
        The plane as one region.
    regions : sequence of NoiseRegion
        Regions of one level each that the plane was split into, or the whole.
    examine : Examine
        Measures the noise of a plane.

    Returns
    -------
    SmoothLevel or None
        None too if the level changes little, or if the noise is correlated only before
        or only after the division.
    """
    base = _base(whole.noise, plane_yxs[valid_yx])
    level = SmoothLevel(np.ones(valid_yx.shape), base, whole.noise, whole.curves)
    for _ in range(_ROUNDS):
        even = level.even(plane_yxs)
        change = _change(even, valid_yx, level.curves)
        noise, mean = level.noise, float(even[valid_yx].mean())
        photons = noise.gain * (mean - noise.offset)
        power = division_power(photons, noise.sigma**2)
        scale = level.scale_yx * np.exp(change * power)
        # A polynomial may run far off where there is no valid pixel.
        scale = scale.clip(scale[valid_yx].min(), scale[valid_yx].max())
        if np.log(scale[valid_yx]).std() < _LEAST:
            return None
        level = replace(level, scale_yx=scale)
        noise, curves = examine(level.even(plane_yxs), valid_yx)
        level = replace(level, noise=noise, curves=curves)
    if level.noise.correlated != whole.noise.correlated:
        return None
    masks = [one.mask_yx for one in regions]
    of_each = [unlikely(plane_yxs, valid_yx, one.curves) for one in regions]
    smooth = unlikely(level.even(plane_yxs), valid_yx, level.curves)
    smooth += len(level.curves) * np.log(level.scale_yx**2)
    # The borders of the regions are not exact yet.
    shares = [gaussian_filter(one.astype(float), _BORDER) for one in masks]
    inside = valid_yx & (np.max(shares, axis=0) > _INSIDE)
    change = (smooth - np.select(masks, of_each))[inside]
    return level if change.mean() < 0 else None


def unevenness(
    plane_yxs: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    curves: Sequence[NoiseLevelFunction],
) -> float:
    """Return how much the noise level changes from place to place at equal intensity.

    It is the standard deviation of the smooth part of the logarithm of the noise
    variance; 0 if the level is the same everywhere.

    Parameters
    ----------
    plane_yxs, valid_yx
        As for `smooth_level`.
    curves : sequence of NoiseLevelFunction
        Noise level function of each sample.
    """
    return float(_change(plane_yxs, valid_yx, curves)[valid_yx].std())


def _change(
    plane_yxs: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    curves: Sequence[NoiseLevelFunction],
) -> NDArray[np.float64]:
    """Return the logarithm of the noise variance over that of the curves, smoothed.

    Its mean is subtracted.
    """
    change = _smoothed(log_powers(plane_yxs, valid_yx, curves)[0][1], valid_yx)
    return np.asarray(change - change[valid_yx].mean())


def _base(noise: NoiseModel, values: NDArray[np.float64]) -> float:
    """Return the intensity without light; any of the plane if noise ignores light."""
    return noise.offset if noise.gain > 0 else float(np.median(values))


def division_power(photon_variance: float, variance: float) -> float:
    """Return the power of the relative variance by which a plane is divided.

    1 for photon noise, whose variance grows with the intensity: the plane is then in
    photons. A half for noise that does not.

    Parameters
    ----------
    photon_variance : float
        Variance of the photon noise; 0 or less if there is none.
    variance : float
        Variance of all noise.
    """
    return 0.5 + 0.5 * min(max(photon_variance / variance, 0.0), 1.0)


def _smoothed(
    log_yx: NDArray[np.float64], valid_yx: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the smooth part of the logarithm of the local variance.

    It is a polynomial of second degree, and what is left of it blurred. A blur alone is
    flat at the edges of the plane.
    """
    polynomial = _quadratic(log_yx, valid_yx)
    width = max(min(valid_yx.shape) / _SHARE, _NARROWEST)
    count = np.maximum(_blurred(valid_yx.astype(float), width), 1e-9)
    rest = _blurred((log_yx - polynomial) * valid_yx, width)
    return np.asarray(polynomial + rest / count)


def _blurred(plane_yx: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Return a plane blurred by a Gaussian, whose time does not grow with its width."""
    waves = dctn(plane_yx, norm="ortho")
    for axis, size in enumerate(plane_yx.shape):
        frequency = np.pi * np.arange(size) / size
        factor = np.exp(-np.square(width * frequency) / 2)
        waves *= np.expand_dims(factor, 1 - axis)
    return np.asarray(idctn(waves, norm="ortho"))


def _quadratic(
    log_yx: NDArray[np.float64], valid_yx: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the polynomial of second degree that fits best at the valid pixels.

    It is computed from sums over the plane, because a table of all terms at all pixels
    needs much memory.
    """
    rows, columns = (
        np.vander(np.linspace(-1, 1, size), 5, increasing=True)
        for size in valid_yx.shape
    )
    of_terms = rows.T @ valid_yx @ columns
    of_values = rows.T @ (log_yx * valid_yx) @ columns
    table = [[of_terms[a + c, b + d] for c, d in _POWERS] for a, b in _POWERS]
    values = [of_values[power] for power in _POWERS]
    factors = np.zeros((3, 3))
    factors[tuple(zip(*_POWERS, strict=True))] = np.linalg.lstsq(
        table, values, rcond=None
    )[0]
    return np.asarray(rows[:, :3] @ factors @ columns[:, :3].T)
