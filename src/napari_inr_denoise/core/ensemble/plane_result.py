"""Result of the fit of one plane, and the steps that the fit yields."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.quality import Quality
from napari_inr_denoise.core.noise.model import NoiseModel
from napari_inr_denoise.core.report.stop_reason import StopReason


@dataclass(frozen=True)
class FitResult:
    """The result of a fit, or its best state so far.

    Attributes
    ----------
    plane_yxs : ndarray of float32, shape (Y, X, samples)
        Denoised intensities in the image's units; treat as read-only.
    residual_rms : float
        Root mean square of output minus noisy values over the fitted pixels, in the
        image's units.
    steps : int
        Optimization steps after which this state was reached.
    reason : StopReason
        Why the fit ended; CALLER while it still runs.
    weights : tuple of (name, weight)
        Weight of each network in the weighted mean.
    quality : Quality or None
        Estimated error and residual statistics; None while the fit still runs.
    uncertainty_yxs : ndarray of float32, shape (Y, X, samples), or None
        Standard deviation of each pixel's error, in the image's units.
    noise_level_step : int or None
        First step at which the residual was down to the noise level, where the
        published method ends; None if it never was.
    """

    plane_yxs: NDArray[np.float32] = field(repr=False)
    residual_rms: float
    steps: int
    reason: StopReason
    weights: tuple[tuple[str, float], ...] = ()
    quality: Quality | None = field(default=None, repr=False)
    uncertainty_yxs: NDArray[np.float32] | None = field(default=None, repr=False)
    noise_level_step: int | None = None


@dataclass(frozen=True)
class FitStep:
    """An evaluation of the whole plane during a fit.

    Attributes
    ----------
    step, max_steps : int
        Steps done and steps after which the fit will probably end, summed over all
        networks that are fitted at once.
    residual_rms : float
        Root mean square residual of this state, in the image's units.
    noise : NoiseModel
        Noise model that the residual is compared with.
    progress : float
        Estimated share of the fit that is done, 0 to 1; never decreases.
    steps_per_second : float
        Mean rate of the optimization since the start.
    best : FitResult
        The result to keep if the caller stops now.
    estimated_error : float or None
        Root mean square error of the present state, estimated on held-out pixels, in
        the image's units. None if it is not known, or too small to be known.
    """

    step: int
    max_steps: int
    residual_rms: float
    noise: NoiseModel
    progress: float
    steps_per_second: float
    best: FitResult
    estimated_error: float | None = None


FitSteps = Generator[FitStep, None, FitResult]
