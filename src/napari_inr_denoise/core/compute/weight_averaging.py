"""Selective weight decay and weight averaging."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from napari_inr_denoise.core.compute.adamw import Group


def selective_decay(
    layers: list[nn.Linear], decay_layers: int, weight_decay: float
) -> list[Group]:
    """Return an optimiser's parameter groups: decay for the last layers only.

    The layers nearest the output fit the noise most (Kim, Lee, Shin, arXiv
    2204.02405), so only their weights are decayed. Biases are offsets and hold no
    noise; they are left alone.

    Parameters
    ----------
    layers : list of Linear
        From input to output.
    decay_layers : int
        How many layers, counted from the output, are decayed.
    weight_decay : float
        For an optimiser with decoupled decay (AdamW). Added to the gradient instead,
        Adam's normalisation would cancel most of it.

    Returns
    -------
    list of dict
        Every parameter once.
    """
    first = max(len(layers) - decay_layers, 0)
    decayed: list[Tensor] = [layer.weight for layer in layers[first:]]
    free: list[Tensor] = [layer.weight for layer in layers[:first]]
    free += [layer.bias for layer in layers]
    groups: list[Group] = [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


class WeightAverage:
    """Exponential moving average of a network's weights.

    `update` after each step; `apply` puts the average into the network and keeps the
    network's own weights aside; `restore` puts those back.

    Parameters
    ----------
    network : Module
        The network to follow; registered with its present weights.
    decay : float
        Share of the average kept at each update, in [0, 1). It rises to this value
        over the first updates, so that the start is forgotten.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self._updates = 0
        self._weights: list[Tensor] = []
        self._average: list[Tensor] = []
        self._aside: list[Tensor] = []
        self.register(network)

    def register(self, network: nn.Module) -> None:
        """Start a new average at the network's present weights."""
        self._weights = [weight.data for weight in network.parameters()]
        self._average = [weight.clone() for weight in self._weights]
        self._aside = []
        self._updates = 0

    def update(self) -> None:
        """Move the average towards the network's present weights.

        Raises
        ------
        RuntimeError
            If the average itself stands in the network.
        """
        if self._aside:
            raise RuntimeError("the average is applied; call restore() before update()")
        self._updates += 1
        decay = min(self._decay, self._updates / (self._updates + 9))
        torch._foreach_lerp_(self._average, self._weights, 1 - decay)

    def apply(self) -> None:
        """Put the average into the network; a second call changes nothing."""
        if not self._aside:
            self._aside = [weight.clone() for weight in self._weights]
            torch._foreach_copy_(self._weights, self._average)

    def restore(self) -> None:
        """Put the network's own weights back; without `apply` nothing changes."""
        if self._aside:
            torch._foreach_copy_(self._weights, self._aside)
            self._aside = []
