"""A plane under a noise model of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.noise.estimate import examine_plane
from napari_inr_denoise.core.noise.hot_pixels import isolated_pixels
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_MOST_NOISE = 2.0
"""Noise over the spread of what is fitted: more was a hot pixel taken for noise, as
in a tiny image, where no part is without it."""
_FARTHEST = 1e6
"""Distance of a pixel, over that spread, beside which sums of squares lose the noise;
whole numbers of 16 bits never come near."""


def measure_plane(
    values_yxs: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    spacing_yx: tuple[float, float] = (1.0, 1.0),
) -> NoisyPlane:
    """Return a plane with its noise, less its hot and dead pixels.

    Parameters
    ----------
    values_yxs, valid_yx : ndarray
        As for `examine_plane`.
    spacing_yx : tuple of float
        Height and width of a pixel; any one unit.
    """
    noise, curves = examine_plane(values_yxs, valid_yx)
    problem = NoisyPlane(values_yxs, valid_yx, valid_yx, noise, spacing_yx, curves)
    fitted = valid_yx & ~isolated_pixels(problem)
    if _is_spoilt(noise.sigma, values_yxs[valid_yx], values_yxs[fitted]):
        noise, curves = examine_plane(values_yxs, fitted)
    return replace(problem, fitted_yx=fitted, noise=noise, curves=curves)


def _is_spoilt(
    sigma: float, valid: NDArray[np.float64], fitted: NDArray[np.float64]
) -> bool:
    """Return whether hot pixels, valid but not fitted, have spoilt the noise level."""
    if len(fitted) == 0 or len(fitted) == len(valid):
        return False
    spread, farthest = fitted.std(), np.abs(valid - fitted.mean(axis=0)).max()
    return bool(sigma > _MOST_NOISE * spread or farthest > _FARTHEST * spread)
