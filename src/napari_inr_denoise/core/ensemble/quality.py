"""How far a result may be trusted: its error, what was removed, what was kept."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.prediction import unbiased_risk
from napari_inr_denoise.core.noise.autocorrelation import residual_correlation
from napari_inr_denoise.core.noise.intensity_bins import by_intensity
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.verdict import Verdict

_LAGS = 2
_WHITE = 0.05
"""Mean correlation of a residual's neighbours up to which it counts as noise only."""
_STRUCTURE = 1.15
"""Residual over noise, in standard deviations, above which more than noise went."""
_BINS = 8
_LEAST_STD = 0.05
"""Of the noise: no pixel is known better than this."""


@dataclass(frozen=True)
class Quality:
    """What is known of a denoised plane's error; intensities in the image's units.

    Attributes
    ----------
    held_out_error : float or None
        Root mean square of the error against the unknown truth, estimated on pixels
        that were held out; None where too few were.
    whiteness : float
        Mean correlation of neighbours in the residual; 0 for white noise.
    verdict : Verdict
        What that says.
    intensity_bias : tuple of (intensity, difference)
        Mean of the result less mean of the input, in groups of rising intensity.
    """

    held_out_error: float | None
    whiteness: float
    verdict: Verdict
    intensity_bias: tuple[tuple[float, float], ...]


def judge(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    held_out_error: float | None,
) -> Quality:
    """Judge a result by what was removed.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    plane_yxs : ndarray of float32, shape (Y, X, samples)
        The result.
    held_out_error : float or None
        From `estimated_error`.
    """
    fitted = problem.fitted_yx
    residual = problem.plane_yxs - plane_yxs
    table = residual_correlation(residual, plane_yxs, fitted, _LAGS)
    beside = (table[_LAGS, _LAGS + 1] + table[_LAGS + 1, _LAGS]) / 2
    ratio = problem.residual_rms(plane_yxs) / problem.noise.sigma
    return Quality(
        held_out_error=held_out_error,
        whiteness=float(beside),
        # A correlation of so many pixels has a spread of its own.
        verdict=_verdict(
            float(beside) - 3 / math.sqrt(fitted.sum()),
            ratio,
            correlated=problem.noise.correlated,
        ),
        intensity_bias=_bias(problem, plane_yxs),
    )


def estimated_error(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    divergence_yxs: NDArray[np.float32],
    held_out_yx: NDArray[np.bool_],
) -> float:
    """Return the estimated root mean square error against the truth.

    Stein's unbiased risk on held-out pixels, or what the network's own gain says of
    them, whichever is larger: the risk is the small difference of two large numbers,
    and a noise level that is 2 % too high can halve it. Of correlated noise only the
    latter is known.

    Parameters
    ----------
    problem : NoisyPlane
        The noisy plane and its noise.
    plane_yxs, divergence_yxs : ndarray of float32, shape (Y, X, samples)
        The result, and how much of each pixel's own noise is left in it.
    held_out_yx : ndarray of bool, shape (Y, X)
        Pixels that no fit was trained on, at least one.

    Returns
    -------
    float
        In the image's units.
    """
    chosen, share = plane_yxs[held_out_yx], divergence_yxs[held_out_yx]
    variance = problem.variance(chosen)
    by_gain = float(_expected_square(variance, share).mean())
    if problem.noise.correlated:
        return math.sqrt(by_gain)
    noisy = problem.plane_yxs[held_out_yx]
    risk = float(unbiased_risk(chosen, noisy, variance, share).mean())
    return math.sqrt(max(risk, by_gain))


def uncertainty(
    problem: NoisyPlane,
    plane_yxs: NDArray[np.float32],
    divergence_yxs: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Return the standard deviation of the error of each pixel.

    A network that learned to add back a share g of the pixel takes its prediction's
    variance to be g / (1 - g) times the noise's, and what is left after adding back
    to be g times the noise's.

    Parameters
    ----------
    problem : NoisyPlane
        The plane's noise.
    plane_yxs, divergence_yxs : ndarray of float32, shape (Y, X, samples)
        The result, and how much of each pixel's own noise is left in it.

    Returns
    -------
    ndarray of float32, shape (Y, X, samples)
        In the image's units.
    """
    squared = _expected_square(problem.variance(plane_yxs), divergence_yxs)
    return np.sqrt(squared).astype(np.float32)


def _expected_square(
    variance: NDArray[np.float64], divergence: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the mean squared error that goes with a gain."""
    share = np.clip(divergence, _LEAST_STD**2, 1.0)
    return np.asarray(share * variance, dtype=np.float64)


def _verdict(beside: float, ratio: float, *, correlated: bool) -> Verdict:
    if correlated:
        return Verdict.CORRELATED
    if beside > _WHITE or ratio > _STRUCTURE:
        return Verdict.STRUCTURE
    return Verdict.NOISE_ONLY


def _bias(
    problem: NoisyPlane, plane_yxs: NDArray[np.float32]
) -> tuple[tuple[float, float], ...]:
    """Return the change of the mean in groups of pixels of rising intensity."""
    before = problem.plane_yxs[problem.fitted_yx].ravel()
    after = plane_yxs[problem.fitted_yx].ravel()
    groups = by_intensity(after, _BINS)
    # The sum of large values is more than float32 can hold.
    means = [
        (after[group].mean(dtype=np.float64), before[group].mean()) for group in groups
    ]
    return tuple((float(one), float(one - other)) for one, other in means)
