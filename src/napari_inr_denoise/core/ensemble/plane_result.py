"""Result of the fit of one plane, and the steps on the way to it."""

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
    """The state of a fit that is kept.

    Attributes
    ----------
    plane_yxs : ndarray of float32, shape (Y, X, samples)
        Denoised intensities in the image's units; treat as read-only.
    residual_rms : float
        Root of MSE(output, noisy) over the pixels that count, in the image's units.
    steps : int
        Steps after which this state was reached.
    reason : StopReason
        Why the fit ended; CALLER while it still runs.
    weights : tuple of (name, weight)
        The networks that the result is the weighted mean of.
    quality : Quality or None
        What is known of the error; None while the fit still runs.
    uncertainty_yxs : ndarray of float32, shape (Y, X, samples), or None
        Standard deviation of the error of each pixel, in the image's units.
    """

    plane_yxs: NDArray[np.float32] = field(repr=False)
    residual_rms: float
    steps: int
    reason: StopReason
    weights: tuple[tuple[str, float], ...] = ()
    quality: Quality | None = field(default=None, repr=False)
    uncertainty_yxs: NDArray[np.float32] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class FitStep:
    """A look at the whole image during a fit.

    Attributes
    ----------
    step, max_steps : int
        Steps done and the budget, of all networks that are fitted at once.
    residual_rms : float
        Of this state, in the image's units.
    noise : NoiseModel
        What the residual is compared with.
    progress : float
        Estimated share of the fit that is done, 0 to 1, never falling.
    steps_per_second : float
        Rate of the optimisation alone, since the start.
    best : FitResult
        What a caller that stops now should keep.
    """

    step: int
    max_steps: int
    residual_rms: float
    noise: NoiseModel
    progress: float
    steps_per_second: float
    best: FitResult


FitSteps = Generator[FitStep, None, FitResult]
