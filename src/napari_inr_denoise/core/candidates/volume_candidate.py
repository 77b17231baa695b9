"""The function fitted to a volume, as one more candidate for each of its planes."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.siren_volume import VolumeFit
from napari_inr_denoise.core.ensemble.limits import keep_in_range
from napari_inr_denoise.core.ensemble.prediction import Candidate
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.sampling.series import SeriesTile
from napari_inr_denoise.core.settings import SIREN, DenoiseSettings
from napari_inr_denoise.image.tiling import Tiling

_MOST_STEPS = 600
"""Largest number of steps for a function that is one candidate among others. At 20
photons a volume takes 250; where there is little noise its weight is small anyway."""


def limited_steps(settings: DenoiseSettings) -> DenoiseSettings:
    """Return the settings for a function that is one candidate among others."""
    most = min(settings.siren.max_steps, _MOST_STEPS)
    return replace(settings, siren=replace(settings.siren, max_steps=most))


class VolumeCandidate:
    """Predicts the planes of a volume from the function fitted to it.

    Parameters
    ----------
    fit : VolumeFit
        The function. It was not fitted to the held-out voxels.
    tiling : Tiling
        Tiles of the planes.
    seed : int
        Seed of the held-out pixels.
    """

    def __init__(self, fit: VolumeFit, tiling: Tiling, seed: int) -> None:
        self._fit, self._tiling, self._seed = fit, tiling, seed

    def predict(self, tile: SeriesTile, _: int) -> Generator[None, None, Candidate]:
        """Predict a tile of a plane."""
        rows, columns = self._tiling.tiles[tile.part % self._tiling.count].window
        function, number = self._fit.function, tile.number
        region = (
            (number, number + 1),
            (rows.start, rows.stop),
            (columns.start, columns.stop),
        )
        yield
        values = function.plane(float(number), function.grid(region=region))
        values = keep_in_range(tile.problem, values)
        return Candidate(
            SIREN,
            values,
            _divergence(tile.problem, values, tile.held_out(self._seed)),
            self._fit.steps,
            self._fit.reason,
        )


def _divergence(
    problem: NoisyPlane, plane_yxs: NDArray[np.float32], held_out_yx: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return the divergence: 0 where pixels are held out, one value for the others.

    On pixels that it was fitted to, the squared residual of a function is smaller by
    twice the divergence, in units of the noise variance, than on others.
    """
    variance = np.maximum(problem.variance(plane_yxs), np.finfo(np.float32).tiny)
    square = (problem.plane_yxs - plane_yxs) ** 2 / variance
    fitted_yx = problem.fitted_yx & ~held_out_yx
    divergence = np.zeros_like(plane_yxs)
    if held_out_yx.any() and fitted_yx.any():
        optimism = (square[held_out_yx].mean() - square[fitted_yx].mean()) / 2
        divergence[fitted_yx] = min(max(float(optimism), 0.0), 1.0)
    return divergence
