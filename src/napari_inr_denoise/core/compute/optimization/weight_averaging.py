"""Selective weight decay and weight averaging."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from napari_inr_denoise.core.compute.optimization.adamw import Group


def selective_decay(
    layers: list[nn.Linear], decay_layers: int, weight_decay: float
) -> list[Group]:
    """Return an optimizer's parameter groups: weight decay for the last layers only.

    The layers nearest the output fit the noise most (Kim, Lee, Shin, arXiv
    2204.02405), so only their weights are decayed. Biases are offsets, which hold no
    noise, and are not decayed.

    Parameters
    ----------
    layers : list of Linear
        From input to output.
    decay_layers : int
        Number of layers with weight decay, counted from the output.
    weight_decay : float
        For an optimizer with decoupled decay (AdamW). In Adam, which adds it to the
        gradient, the normalization would cancel most of it.

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


def constant_horizon(decay: float) -> Callable[[int], float]:
    """Return the usual fraction for `WeightAverage`, a constant.

    It is smaller in the first updates, so that the initial weights lose their
    influence.
    """
    return lambda update: min(decay, update / (update + 9))


def growing_horizon(share: float) -> Callable[[int], float]:
    """Return a fraction for `WeightAverage` that grows with the training.

    The average reaches over a share of all updates so far. It is as good at any moment
    as if the training were planned to end there (Karras et al., "Analyzing and
    Improving the Training Dynamics of Diffusion Models", CVPR 2024).
    """
    return lambda update: max(1 - 1 / (share * update), 0.0)


class WeightAverage:
    """Exponential moving average of a network's weights.

    Call `update` after each step. `apply` copies the average into the network and saves
    the network's own weights; `restore` copies those back.

    Parameters
    ----------
    network : Module
        The network. The average starts at its present weights.
    kept : callable
        Fraction of the average that is kept, in [0, 1), by the number of the update,
        which counts from 1.
    """

    def __init__(self, network: nn.Module, kept: Callable[[int], float]) -> None:
        self._kept = kept
        self._updates = 0
        self._weights: list[Tensor] = []
        self._average: list[Tensor] = []
        self._saved: list[Tensor] = []
        self.register(network)

    def register(self, network: nn.Module) -> None:
        """Start a new average at the network's present weights."""
        self._weights = [weight.data for weight in network.parameters()]
        self._average = [weight.clone() for weight in self._weights]
        self._saved = []
        self._updates = 0

    def update(self) -> None:
        """Move the average towards the network's present weights.

        Raises
        ------
        RuntimeError
            If the average is applied.
        """
        if self._saved:
            raise RuntimeError("the average is applied; call restore() before update()")
        self._updates += 1
        share = 1 - self._kept(self._updates)
        torch._foreach_lerp_(self._average, self._weights, share)

    def apply(self) -> None:
        """Copy the average into the network. A second call changes nothing."""
        if not self._saved:
            self._saved = [weight.clone() for weight in self._weights]
            torch._foreach_copy_(self._weights, self._average)

    def restore(self) -> None:
        """Copy the network's own weights back. Without `apply` nothing changes."""
        if self._saved:
            torch._foreach_copy_(self._weights, self._saved)
            self._saved = []
