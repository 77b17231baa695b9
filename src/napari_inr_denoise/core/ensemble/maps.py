"""Maps: further values for each pixel of a result, by name.

A new map is a function here and one line in `MAPS`. Results, files and the command line
then know it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

# The panel needs the names of the maps as it opens. These modules are slow to load.
if TYPE_CHECKING:
    from napari_inr_denoise.core.ensemble.plane_result import FitResult
    from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane

PixelMap: TypeAlias = "Callable[[NoisyPlane, FitResult], NDArray[np.floating] | None]"
"""From a noisy plane and its result to values of shape (Y, X, samples).

NaN where a value is not known; None where it is known nowhere.
"""


def uncertainty(problem: NoisyPlane, result: FitResult) -> NDArray[np.float32] | None:
    """Return the standard deviation of each pixel's error, in the image's units."""
    del problem
    return result.uncertainty_yxs


def residual(problem: NoisyPlane, result: FitResult) -> NDArray[np.floating]:
    """Return the noisy plane less the result, in the image's units."""
    return problem.input_yxs - result.plane_yxs


def structured(problem: NoisyPlane, result: FitResult) -> NDArray[np.floating] | None:
    """Return the structured noise that was removed, in the image's units."""
    del result
    return problem.structured_yxs


def normalized_residual(
    problem: NoisyPlane, result: FitResult
) -> NDArray[np.floating] | None:
    """Return the residual over the local standard deviation of the noise.

    Structured noise is not part of it.
    About 1 in root mean square where the noise model holds and only noise was removed.
    """
    if not problem.noise.sigma > 0:
        return None
    variance = problem.variance(result.plane_yxs)
    std = np.sqrt(np.where(variance > 0, variance, np.nan))
    return np.asarray((problem.plane_yxs - result.plane_yxs) / std)


MAPS: dict[str, PixelMap] = {
    "uncertainty": uncertainty,
    "residual": residual,
    "normalized_residual": normalized_residual,
    "structured": structured,
}
"""The maps by name."""
