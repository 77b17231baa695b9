"""What a fit hands over to be combined with others, and the risk it is judged by."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.report.stop_reason import StopReason


@dataclass(frozen=True)
class Candidate:
    """One network's answer for a plane.

    Attributes
    ----------
    name : str
        Of the network, as in `DenoiseSettings.candidates`.
    plane_yxs : ndarray of float32, shape (Y, X, samples)
        Denoised intensities in the image's units.
    divergence_yxs : ndarray of float32, shape (Y, X, samples)
        How much of a pixel's own noise is left in the answer: the derivative of the
        output by the pixel, times the noise's correlation with the pixel. 0 where
        the fit has not seen the pixel.
    steps : int
        Optimisation steps.
    reason : StopReason
        Why the fit ended.
    """

    name: str
    plane_yxs: NDArray[np.float32] = field(repr=False)
    divergence_yxs: NDArray[np.float32] = field(repr=False)
    steps: int
    reason: StopReason

    @property
    def is_finite(self) -> bool:
        """Whether all values are finite: the network has not broken down."""
        parts = (self.plane_yxs, self.divergence_yxs)
        return all(bool(np.isfinite(part).all()) for part in parts)


def unbiased_risk(
    denoised: NDArray[np.floating],
    noisy: NDArray[np.floating],
    variance: NDArray[np.floating],
    divergence: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return an estimate, pixel by pixel, of the squared error against the truth.

    Stein, "Estimation of the Mean of a Multivariate Normal Distribution", 1981:
    unbiased in the mean over many pixels, negative at some. Only pixels that the
    fit was not trained on may be judged.

    Parameters
    ----------
    denoised, noisy, variance, divergence : ndarray
        The same shape; intensities, noise variances, and as in `Candidate`.
    """
    risk = (denoised - noisy) ** 2 + (2 * divergence - 1) * variance
    return np.asarray(risk, dtype=np.float64)
