"""Steps of a network's weights down a gradient, as a device takes them best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from napari_inr_denoise.core.compute.adamw import KEPT, AdamWOnCpu, AdamWOnDevice, Group
from napari_inr_denoise.core.compute.cuda_graphs import Recorder, graphs_for
from napari_inr_denoise.core.compute.gradient import Gradient, Loss, one_thread


class Descent(Protocol):
    """Steps of AdamW."""

    def step(self, losses: Sequence[Loss], rate: float, kept: float = KEPT) -> None:
        """Take a step down the gradient of a sum of losses.

        Parameters
        ----------
        losses : sequence of Loss
            What is summed.
        rate : float
            Learning rate.
        kept : float
            Share of the gradients' mean that is kept.
        """


def descent(network: nn.Module, groups: Sequence[Group]) -> Descent:
    """Return what steps the weights of a network.

    Parameters
    ----------
    network : Module
        On its device.
    groups : list of dict
        Its weights ("params"), each once, and their "weight_decay".
    """
    device = next(network.parameters()).device
    graphs = graphs_for(device)
    if device.type == "cpu" and graphs is None:
        return _OnCpu(network, groups)
    return _OnDevice(groups, Recorder(graphs, device))


class _OnCpu:
    """The gradient in parts side by side, the step in one kernel."""

    def __init__(self, network: nn.Module, groups: Sequence[Group]) -> None:
        self._gradient, self._adam = Gradient(network), AdamWOnCpu(groups)

    def step(self, losses: Sequence[Loss], rate: float, kept: float = KEPT) -> None:
        self._gradient.take(losses)
        with one_thread():
            self._adam.step(rate, kept)


class _OnDevice:
    """Gradient and step in tensors that stay where they are, recorded if possible."""

    def __init__(self, groups: Sequence[Group], recorder: Recorder) -> None:
        self._recorder = recorder
        self._weights = [weight for group in groups for weight in group["params"]]
        self._gradients = [torch.zeros_like(weight) for weight in self._weights]
        self._adam = AdamWOnDevice(groups, self._gradients)

    def step(self, losses: Sequence[Loss], rate: float, kept: float = KEPT) -> None:
        torch._foreach_zero_(self._gradients)
        for loss in losses:
            add = partial(self._add, loss.function)
            key = "gradient", loss.key
            self._recorder.run(key, add, loss.inputs, self._gradients)
        self._adam.set_rates(rate, kept)
        self._recorder.run("weights", self._adam.step, (), self._adam.state)

    def _add(self, function: Callable[..., Tensor], *inputs: Tensor) -> None:
        """Add a loss's gradient to that of the step."""
        found = torch.autograd.grad(function(*inputs), self._weights)
        torch._foreach_add_(self._gradients, found)
