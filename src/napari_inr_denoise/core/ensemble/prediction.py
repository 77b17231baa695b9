"""Prediction of one candidate network, and the unbiased risk that rates it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.report.stop_reason import StopReason


@dataclass(frozen=True)
class Candidate:
    """One network's prediction of a plane.

    Attributes
    ----------
    name : str
        Name of the network, as in `DenoiseSettings.candidates`.
    plane_yxs : ndarray of float32, shape (Y, X, samples)
        Denoised intensities in the image's units.
    divergence_yxs : ndarray of float32, shape (Y, X, samples)
        Share of a pixel's own noise that is left in the prediction, as in SURE: the
        derivative of the output with respect to the noisy input, weighted by the
        correlation of the noise. 0 where the fit has not seen the pixel.
    steps : int
        Optimization steps.
    reason : StopReason
        Why the fit ended.
    noise_level_step : int or None
        First step at which the residual was down to the noise level; None if it never
        was, or if nobody looked.
    """

    name: str
    plane_yxs: NDArray[np.float32] = field(repr=False)
    divergence_yxs: NDArray[np.float32] = field(repr=False)
    steps: int
    reason: StopReason
    noise_level_step: int | None = None

    @property
    def is_finite(self) -> bool:
        """Whether all values are finite; not so after a numerical failure."""
        parts = (self.plane_yxs, self.divergence_yxs)
        return all(bool(np.isfinite(part).all()) for part in parts)


def unbiased_risk(
    denoised: NDArray[np.floating],
    noisy: NDArray[np.floating],
    variance: NDArray[np.floating],
    divergence: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return Stein's unbiased estimate of each pixel's squared error (SURE).

    Stein, "Estimation of the Mean of a Multivariate Normal Distribution", 1981. The
    mean over many pixels is unbiased; single values can be negative. Valid only for
    pixels that the fit was not trained on.

    Parameters
    ----------
    denoised, noisy, variance, divergence : ndarray
        Arrays of one shape: denoised and noisy intensities, noise variance, and
        divergence (see `Candidate`).
    """
    risk = (denoised - noisy) ** 2 + (2 * divergence - 1) * variance
    return np.asarray(risk, dtype=np.float64)
