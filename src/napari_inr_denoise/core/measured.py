"""A plane under a noise model of its own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.defects import isolated_pixels
from napari_inr_denoise.core.noise import examine_plane
from napari_inr_denoise.core.problem import FitProblem


def measured_problem(
    values_yxs: NDArray[np.float64],
    valid_yx: NDArray[np.bool_],
    spacing_yx: tuple[float, float] = (1.0, 1.0),
) -> FitProblem:
    """Return a plane with its noise, less its hot and dead pixels.

    Parameters
    ----------
    values_yxs, valid_yx : ndarray
        As for `examine_plane`.
    spacing_yx : tuple of float
        Height and width of a pixel; any one unit.
    """
    noise, curves = examine_plane(values_yxs, valid_yx)
    problem = FitProblem(values_yxs, valid_yx, valid_yx, noise, spacing_yx, curves)
    return replace(problem, fitted_yx=valid_yx & ~isolated_pixels(problem))
