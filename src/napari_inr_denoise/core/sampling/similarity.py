"""Whether two planes of a stack show the same structure."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_FINE, _COARSE = 1.0, 6.0
"""Widths, in pixels, of the blurs between which structure is compared."""
_LEAST = 0.5
"""Correlation of two planes' structure from which on one helps to tell the other."""
_LEAST_SPREADS = 4.0
"""Standard deviations of two empty planes' chance correlation that are not believed."""


def shares_structure(one: NoisyPlane, other: NoisyPlane) -> bool:
    """Return whether what is seen in one plane is seen in the other.

    Structure of a size of some pixels is correlated; the noise of the two planes is
    independent, so that only its own share of either variance has to be taken off.

    Parameters
    ----------
    one, other : NoisyPlane
        Of the same shape.
    """
    counted = (one.fitted_yx & other.fitted_yx)[..., None]
    bands = [_band(plane) * counted for plane in (one, other)]
    noise = [_noise_in_band(plane) * float(counted.mean()) for plane in (one, other)]
    signals = [
        max(float(np.mean(band**2)) - level, 0.0)
        for band, level in zip(bands, noise, strict=True)
    ]
    together = float(np.mean(bands[0] * bands[1]))
    # Blurred noise has one independent value in so many pixels.
    pixels = 2 * math.pi * _FINE**2
    chance = math.sqrt(noise[0] * noise[1] * pixels / max(float(counted.sum()), 1.0))
    least = max(_LEAST * math.sqrt(signals[0] * signals[1]), _LEAST_SPREADS * chance)
    return together > least


def _band(problem: NoisyPlane) -> NDArray[np.float64]:
    """Return the plane between two blurs."""
    counted = problem.fitted_yx[..., None]
    mean = problem.plane_yxs[problem.fitted_yx].mean(axis=0)
    filled = np.where(counted, problem.plane_yxs, mean)
    fine, coarse = (
        gaussian_filter(filled, (width, width, 0)) for width in (_FINE, _COARSE)
    )
    return np.asarray(fine - coarse)


def _noise_in_band(problem: NoisyPlane) -> float:
    """Return the variance that the plane's noise, taken as white, has in the band."""
    # Energy of the difference of two normal kernels in the plane.
    squares = 1 / _FINE**2 + 1 / _COARSE**2 - 4 / (_FINE**2 + _COARSE**2)
    return problem.noise.sigma**2 * squares / (4 * np.pi)
