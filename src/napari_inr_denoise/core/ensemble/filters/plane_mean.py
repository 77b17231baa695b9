"""Mean of a result and those of the planes beside it, where that lowers the error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.ensemble.quality import random_error
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

_WIDTH = 16.0
"""Standard deviation, in pixels, of the window in which the weight is estimated. 25
lost 0.01 dB on a volume of 128x128."""
_BRIGHTNESS = 7.0
"""Width of the blur, in pixels, that the mean leaves as it was. Brightness over time
would be smoothed otherwise. It costs 0.04 to 0.08 dB."""
_LARGEST = 2 / 3
"""Largest weight of the planes beside: that of a mean of three."""
_UNLIKE = 6.0
"""Difference to a plane beside, in estimated errors, above which a pixel shows
something else there. Four lost 0.01 to 0.03 dB."""


def averaged_with(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    divergence_yxs: NDArray[np.float32],
    beside: Sequence[tuple[NoisyPlane, NDArray[np.float32]]],
) -> NDArray[np.float32]:
    """Return the weighted mean of a result and the mean of those beside it.

    The errors of planes that share a network are only partly the same, so that few
    photons are counted better in several planes. The weight minimizes Stein's unbiased
    risk in a window around each pixel. It is 0 where the planes differ by more than
    their errors. Pixels of a plane beside that show something else are not added, so
    that what appears in one plane alone does not reach the others.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise. Where it is correlated, the divergence holds the
        noise that comes from within the blind spot. What comes from beyond lowers the
        weight.
    plane_yxs, divergence_yxs : ndarray of float32, shape (Y, X, samples)
        The result in the image's units, and its divergence (see `Candidate`).
    beside : sequence of (NoisyPlane, ndarray of float32)
        Planes of the same shape that show similar structure, with their results.

    Returns
    -------
    ndarray of float32, shape (Y, X, samples)
        The mean, in the image's units.
    """
    if not beside:
        return plane_yxs
    fitted = [problem.fitted_yx, *(plane.fitted_yx for plane, _ in beside)]
    known = np.logical_and.reduce(fitted)[..., None]
    differences = [
        np.where(known, result.astype(np.float64) - plane_yxs, 0.0)
        for _, result in beside
    ]
    difference = np.mean(differences, axis=0)
    removed = problem.plane_yxs - plane_yxs
    # Own noise that the result has kept lowers the first product by the second.
    kept = problem.variance(plane_yxs) * divergence_yxs
    gain = _windowed(np.where(known, removed * difference + kept, 0.0))
    power = _windowed(difference**2)
    weight = np.divide(gain, power, out=np.zeros_like(gain), where=power > 0)
    largest = _UNLIKE * random_error(problem, plane_yxs, divergence_yxs)
    # The weight counts all pixels: without the unlike ones the planes seem more alike.
    alike = [np.where(abs(one) <= largest, one, 0.0) for one in differences]
    change = weight.clip(0, _LARGEST) * np.mean(alike, axis=0)
    change -= gaussian_filter(change, (_BRIGHTNESS, _BRIGHTNESS, 0))
    return np.asarray(plane_yxs + change, dtype=np.float32)


def _windowed(plane_yxs: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(gaussian_filter(plane_yxs, (_WIDTH, _WIDTH, 0)))
