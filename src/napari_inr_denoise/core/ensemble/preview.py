"""Filters of the states of a training that are shown."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.post_filters import (
    Estimate,
    FilterProblem,
    apply_pilot_filters,
)
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.ensemble.ridge import PREVIEW, Regression, regression
from napari_inr_denoise.core.ensemble.weighting import hold_out
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane


class PreviewFilter:
    """The filters of a result, for predictions of one plane during the training.

    A state that is shown, and kept after a stop, is then as good as if the training had
    ended there. The regression of similar patches takes longest, and hardly depends on
    the state that steers it: that of the first prediction, after 25 steps, is within
    0.02 to 0.1 dB of a new one after 100. It is therefore computed once.

    Parameters
    ----------
    device : torch.device
        Where to compute.
    seed : int
        Seed of the held-out pixels.
    """

    def __init__(self, device: torch.device, seed: int) -> None:
        self._device, self._seed = device, seed
        self._first: tuple[Regression | None] | None = None

    def __call__(
        self, problem: NoisyPlane, prediction: Candidate
    ) -> NDArray[np.float32]:
        """Return a prediction of the plane, filtered, in the image's units."""
        held_out_yx = hold_out(problem.fitted_yx, self._seed)
        estimate = apply_pilot_filters(
            FilterProblem(problem, held_out_yx, self._device),
            Estimate(prediction.plane_yxs, prediction.divergence_yxs),
        )
        plane_yxs = estimate.plane_yxs
        if self._first is None:
            found = regression(problem, plane_yxs, self._device, (), PREVIEW)
            self._first = (found,)
        (found,) = self._first
        return plane_yxs if found is None else found.averaged_with(plane_yxs)
