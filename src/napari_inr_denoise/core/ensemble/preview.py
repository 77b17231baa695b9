"""Filters of the states of a training that are shown."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.filters.post_filters import (
    Estimate,
    FilterProblem,
    apply_pilot_filters,
)
from napari_inr_denoise.core.ensemble.filters.ridge import (
    PREVIEW,
    Regression,
    regression,
)
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.ensemble.weighting import hold_out
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane


class PreviewFilter:
    """The filters of a result, for predictions of one plane during the training.

    A state that is shown, and kept after a stop, is then as good as if the training had
    ended there. The regression of similar patches takes longest, and hardly depends on
    the state that steers it: that of the first prediction, after 25 steps, is within
    0.02 to 0.1 dB of a new one after 100. It is therefore computed once, after the
    first prediction was shown without it.

    Parameters
    ----------
    problem : NoisyPlane
        The plane and its noise.
    device : torch.device
        Where to compute.
    seed : int
        Seed of the held-out pixels.
    """

    def __init__(self, problem: NoisyPlane, device: torch.device, seed: int) -> None:
        held_out_yx = hold_out(problem.fitted_yx, seed)
        self._filters = FilterProblem(problem, held_out_yx, device)
        self._first: NDArray[np.float32] | None = None
        self._regression: Regression | None = None

    def filtered(self, prediction: Candidate) -> NDArray[np.float32]:
        """Return a prediction of the plane, filtered, in the image's units."""
        plane_yxs = apply_pilot_filters(
            self._filters, Estimate(prediction.plane_yxs, prediction.divergence_yxs)
        ).plane_yxs
        if self._regression is not None:
            return self._regression.averaged_with(plane_yxs)
        self._first = plane_yxs
        return plane_yxs

    def improved(self) -> NDArray[np.float32] | None:
        """Return the last plane with the regression, if it was shown without."""
        if self._first is None:
            return None
        first, self._first = self._first, None
        plane, device = self._filters.plane, self._filters.device
        self._regression = regression(plane, first, device, (), PREVIEW)
        found = self._regression
        return None if found is None else found.averaged_with(first)
