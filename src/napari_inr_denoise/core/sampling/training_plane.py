"""A plane in the form that the neighbourhood network takes, with context slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.sampling.blind_spot_windows import Neighbours, WindowRadii
from napari_inr_denoise.core.sampling.context import context_planes
from napari_inr_denoise.core.sampling.normalization import CommonScale, PlaneScale
from napari_inr_denoise.core.sampling.stack.series import SeriesTile
from napari_inr_denoise.core.settings import DenoiseSettings


@dataclass(frozen=True)
class PlaneView:
    """One plane, ready to be trained on and predicted.

    Attributes
    ----------
    problem : NoisyPlane
        The plane and its noise model.
    scale : PlaneScale
        Normalized values.
    neighbours : Neighbours
        Blind-spot windows.
    values : Tensor, shape (Y * X, samples)
        Normalized linear values.
    targets : Tensor of int
        Flat indices of the pixels to train on.
    weight : float
        Weight of its errors relative to other planes.
    """

    problem: NoisyPlane
    scale: PlaneScale
    neighbours: Neighbours
    values: Tensor
    targets: Tensor
    weight: float

    @property
    def device(self) -> torch.device:
        """Device of the values."""
        return self.values.device


class ViewMaker:
    """Makes the views of the planes that share a network.

    Parameters
    ----------
    common : CommonScale
        Normalization of all planes.
    settings : DenoiseSettings
        For the window radii.
    device : torch.device
        Device of the views.
    """

    def __init__(
        self,
        common: CommonScale,
        settings: DenoiseSettings,
        device: torch.device,
    ) -> None:
        self.common = common
        self._settings = settings
        self.device = device

    def view(
        self,
        tile: SeriesTile,
        targets_yx: NDArray[np.bool_],
    ) -> PlaneView:
        """Return the view of a tile.

        Parameters
        ----------
        tile : SeriesTile
            The tile with its context slices, the same number for all tiles.
        targets_yx : ndarray of bool, shape (Y, X)
            Pixels to train on.
        """
        problem, context = tile.problem, tile.context
        scale = PlaneScale(problem, self.device, self.common)
        radii = WindowRadii(
            window=self._settings.neighbourhood.radius + problem.blind_radius,
            blind_spot=problem.blind_radius,
            context=max(
                self._settings.neighbourhood.context_radius,
                problem.context_blind_radius + 1,
            ),
            context_blind_spot=problem.context_blind_radius,
        )
        neighbours = Neighbours(
            scale.linear_syx,
            scale.stabilized_syx,
            self._tensor(problem.fitted_yx),
            radii,
            context_planes(problem, context, self.common, self.device),
        )
        return PlaneView(
            problem=problem,
            scale=scale,
            neighbours=neighbours,
            values=scale.linear_syx.flatten(1).t(),
            targets=self._tensor(np.flatnonzero(targets_yx)),
            weight=self.common.weight(problem),
        )

    def _tensor(self, array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(array.copy()).to(self.device)
