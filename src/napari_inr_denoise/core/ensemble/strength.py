"""More or less of the denoising than the fit has found, without fitting again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.guided_filter import guided, window_means
from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.ensemble.quality import judge
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.image.axes import planes_of

_MOST = 4.0
"""Errors of a pixel, in standard deviations, up to which contrast is smoothed away at
the greatest strength: what is left are clear edges."""
_TYPICAL_ERROR = 0.4
"""Error of a result over the noise, where it is not known: as on real frames."""


def at_strength(
    noisy_yxs: NDArray[np.floating],
    denoised_yxs: NDArray[np.float32],
    uncertainty_yxs: NDArray[np.float32] | None,
    strength: float,
) -> NDArray[np.float32]:
    """Return a result with more or less of the denoising.

    Less gives a share of what was removed back. More smooths contrasts that are small
    beside the result's own error (`guided`): means and clear edges stay.

    Parameters
    ----------
    noisy_yxs : ndarray, shape (Y, X, samples)
        The input.
    denoised_yxs : ndarray of float32, shape (Y, X, samples)
        The result, in the same units.
    uncertainty_yxs : ndarray of float32, shape (Y, X, samples), or None
        Standard deviation of each pixel's error; NaN or None where it is not known.
    strength : float
        -1 for the input, 0 for the result as it is, 1 for the smoothest.

    Returns
    -------
    ndarray of float32, shape (Y, X, samples)
        Pixels without a finite value, and those that the run left as they were, are
        unchanged.
    """
    if strength == 0:
        return denoised_yxs
    known = np.isfinite(denoised_yxs) & np.isfinite(noisy_yxs)
    removed = np.zeros_like(denoised_yxs)
    np.subtract(noisy_yxs, denoised_yxs, out=removed, where=known, casting="same_kind")
    touched = removed != 0
    if strength < 0:
        changed = denoised_yxs - np.float32(strength) * removed
    else:
        error = _known_error(uncertainty_yxs, removed)
        changed, _ = guided(denoised_yxs, (_MOST * strength * error) ** 2)
    return np.where(touched, changed, denoised_yxs).astype(np.float32)


def image_at_strength(
    noisy: NDArray[Any],
    denoised: NDArray[np.float32],
    uncertainty: NDArray[np.float32] | None,
    axes: str,
    strength: float,
) -> NDArray[np.float32]:
    """Return an image with more or less of the denoising, plane by plane.

    Parameters
    ----------
    noisy : ndarray
        The input.
    denoised, uncertainty : ndarray of float32
        Of a `DenoiseResult`, in the same shape; the latter may be None.
    axes : str
        One letter per dimension.
    strength : float
        As for `at_strength`.

    Returns
    -------
    ndarray of float32
        A new array, also where the strength is 0.
    """
    changed = denoised.copy()
    for plane in planes_of(axes, denoised.shape):
        before, after = (
            plane.colours_yxs(one[plane.selection]) for one in (noisy, changed)
        )
        known = None
        if uncertainty is not None:
            known = plane.colours_yxs(uncertainty[plane.selection])
        after[...] = at_strength(before, after, known, strength)
    return changed


def with_strength(problem: NoisyPlane, result: FitResult, strength: float) -> FitResult:
    """Return a plane's or tile's result with more or less of the denoising.

    Its residual and verdict are those of what is returned; its error is not known.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane.
    result : FitResult
        As it was fitted.
    strength : float
        As for `at_strength`.
    """
    if strength == 0 or result.steps == 0:
        return result
    plane_yxs = at_strength(
        problem.plane_yxs, result.plane_yxs, result.uncertainty_yxs, strength
    )
    return replace(
        result,
        plane_yxs=plane_yxs,
        residual_rms=problem.residual_rms(plane_yxs),
        quality=judge(problem, plane_yxs, None),
        uncertainty_yxs=None,
    )


def _known_error(
    uncertainty_yxs: NDArray[np.float32] | None, removed_yxs: NDArray[np.float32]
) -> NDArray[np.floating]:
    """Return each pixel's error, out of what was removed around it if need be."""
    around = window_means(removed_yxs.astype(np.float64) ** 2)
    typical = _TYPICAL_ERROR * np.sqrt(np.maximum(around, 0.0))
    if uncertainty_yxs is None:
        return typical
    return np.where(np.isfinite(uncertainty_yxs), uncertainty_yxs, typical)
