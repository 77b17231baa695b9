"""Strength of the denoising, changed after the fit without fitting again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.filters.guided_filter import guided, window_means
from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.ensemble.quality import judge
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.image.axes import planes_of

_MOST = 4.0
"""Contrast that is smoothed away at strength 1, in units of the pixel's error; only
clear edges remain."""
_TYPICAL_ERROR = 0.4
"""Error of a result as a fraction of the noise, used where the error is not known; a
typical value of real frames."""


def at_strength(
    noisy_yxs: NDArray[np.floating],
    denoised_yxs: NDArray[np.float32],
    uncertainty_yxs: NDArray[np.float32] | None,
    strength: float,
) -> NDArray[np.float32]:
    """Return a result with weaker or stronger denoising.

    A negative strength adds back a share of the residual. A positive strength smooths
    contrast that is small compared with the error of the result (`guided`); local means
    and clear edges are preserved.

    Parameters
    ----------
    noisy_yxs : ndarray, shape (Y, X, samples)
        The input.
    denoised_yxs : ndarray of float32, shape (Y, X, samples)
        The result, in the same units.
    uncertainty_yxs : ndarray of float32, shape (Y, X, samples), or None
        Standard deviation of each pixel's error; NaN or None where it is not known.
    strength : float
        -1 returns the input, 0 the result unchanged, 1 the smoothest result.

    Returns
    -------
    ndarray of float32, shape (Y, X, samples)
        Pixels that are not finite, and pixels that the run did not change, stay
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
    denoised: NDArray[Any],
    uncertainty: NDArray[np.float32] | None,
    axes: str,
    strength: float,
) -> NDArray[np.float32]:
    """Return an image with weaker or stronger denoising, plane by plane.

    Parameters
    ----------
    noisy : ndarray
        The input.
    denoised : ndarray
        Image of a `DenoiseResult`, of the same shape; of integers if it was saved so.
    uncertainty : ndarray of float32, or None
        Its uncertainty, if it is known.
    axes : str
        One letter per dimension.
    strength : float
        As for `at_strength`.

    Returns
    -------
    ndarray of float32
        Always a new array, even if the strength is 0.
    """
    changed = np.array(denoised, dtype=np.float32)
    for plane in planes_of(axes, denoised.shape):
        before, after = (
            plane.samples_yxs(one[plane.selection]) for one in (noisy, changed)
        )
        known = None
        if uncertainty is not None:
            known = plane.samples_yxs(uncertainty[plane.selection])
        after[...] = at_strength(before, after, known, strength)
    return changed


def with_strength(problem: NoisyPlane, result: FitResult, strength: float) -> FitResult:
    """Return the result of a plane or tile with weaker or stronger denoising.

    Residual and quality are computed again for the new result. Its error is unknown.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane.
    result : FitResult
        The result of the fit.
    strength : float
        As for `at_strength`.
    """
    if strength == 0 or result.steps == 0:
        return result
    plane_yxs = at_strength(
        problem.input_yxs, result.plane_yxs, result.uncertainty_yxs, strength
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
    """Return each pixel's error, estimated from the local residual where unknown."""
    around = window_means(removed_yxs.astype(np.float64) ** 2)
    typical = _TYPICAL_ERROR * np.sqrt(np.maximum(around, 0.0))
    if uncertainty_yxs is None:
        return typical
    return np.where(np.isfinite(uncertainty_yxs), uncertainty_yxs, typical)
