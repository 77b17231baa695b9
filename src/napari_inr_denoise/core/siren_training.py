"""How SIREN is trained, on a plane or on a volume."""

from __future__ import annotations

from torch import Tensor

from napari_inr_denoise.core.descent import descent
from napari_inr_denoise.core.gradient import Loss, part_count
from napari_inr_denoise.core.networks.siren import Siren
from napari_inr_denoise.core.regularise import WeightAverage, selective_decay
from napari_inr_denoise.core.settings import DenoiseSettings


class SirenTraining:
    """AdamW with decay of the last layers alone, and the weights' running average.

    Parameters
    ----------
    network : Siren
        On its device.
    settings : DenoiseSettings
        Rate, decay and average.

    Attributes
    ----------
    average : WeightAverage
        Of the network's weights.
    """

    def __init__(self, network: Siren, settings: DenoiseSettings) -> None:
        self._network = network
        self._parts = part_count(next(network.parameters()).device)
        self.average = WeightAverage(network, settings.average_decay)
        groups = selective_decay(
            network.linear_layers(), settings.decay_layers, settings.weight_decay
        )
        self._descent, self._rate = descent(network, groups), settings.learning_rate

    def step(self, coordinates: Tensor, targets: Tensor, weights: Tensor) -> None:
        """Take one step down the mean squared error.

        Parameters
        ----------
        coordinates : Tensor, shape (N, 2 or 3)
            In the network's scale, see `core.coordinates`.
        targets : Tensor, shape (N, samples, side, side)
            Noisy values in the network's scale.
        weights : Tensor, shape (N, 1, side, side)
            1 where a target counts, 0 elsewhere.
        """
        counted = weights.sum().clamp_min(1.0) * targets.shape[1]
        parts = zip(
            coordinates.tensor_split(self._parts),
            targets.tensor_split(self._parts),
            weights.tensor_split(self._parts),
            strict=True,
        )
        losses = [Loss(self._loss, (at, to, by, counted)) for at, to, by in parts]
        self._descent.step(losses, self._rate)
        self.average.update()

    def _loss(
        self, coordinates: Tensor, targets: Tensor, weights: Tensor, counted: Tensor
    ) -> Tensor:
        predicted: Tensor = self._network(coordinates).view_as(targets)
        return ((predicted - targets).square() * weights).sum() / counted
