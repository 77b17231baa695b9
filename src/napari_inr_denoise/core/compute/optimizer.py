"""AdamW on the CPU and on other devices, and the optimizer of blind-spot networks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from napari_inr_denoise.core.compute.adamw import (
    BETA1,
    AdamWOnCpu,
    AdamWOnDevice,
    Group,
)
from napari_inr_denoise.core.compute.cuda_graphs import Recorder, graphs_for
from napari_inr_denoise.core.compute.gradient import Gradient, Loss
from napari_inr_denoise.core.compute.threads import one_thread
from napari_inr_denoise.core.compute.weight_averaging import (
    WeightAverage,
    growing_horizon,
)


class Descent(Protocol):
    """Steps of AdamW."""

    def step(self, losses: Sequence[Loss], rate: float, beta1: float = BETA1) -> None:
        """Take a step down the gradient of a sum of losses.

        Parameters
        ----------
        losses : sequence of Loss
            Terms of the sum.
        rate : float
            Learning rate.
        beta1 : float
            Adam's beta1: decay rate of the running mean of the gradients.
        """


def descent(network: nn.Module, groups: Sequence[Group]) -> Descent:
    """Return AdamW for the weights of a network.

    Parameters
    ----------
    network : Module
        Network to train, on its device.
    groups : list of dict
        Parameter groups: weights ("params"), each once, and their "weight_decay".
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

    def step(self, losses: Sequence[Loss], rate: float, beta1: float = BETA1) -> None:
        self._gradient.take(losses)
        with one_thread():
            self._adam.step(rate, beta1)


class _OnDevice:
    """Gradient and step in tensors that stay where they are, recorded if possible."""

    def __init__(self, groups: Sequence[Group], recorder: Recorder) -> None:
        self._recorder = recorder
        self._weights = [weight for group in groups for weight in group["params"]]
        self._gradients = [torch.zeros_like(weight) for weight in self._weights]
        self._adam = AdamWOnDevice(groups, self._gradients)

    def step(self, losses: Sequence[Loss], rate: float, beta1: float = BETA1) -> None:
        torch._foreach_zero_(self._gradients)
        for loss in losses:
            add = partial(self._add, loss.function)
            key = "gradient", loss.key
            self._recorder.run(key, add, loss.inputs, self._gradients)
        self._adam.set_rates(rate, beta1)
        self._recorder.run("weights", self._adam.step, (), self._adam.state)

    def _add(self, function: Callable[..., Tensor], *inputs: Tensor) -> None:
        """Add a loss's gradient to that of the step."""
        found = torch.autograd.grad(function(*inputs), self._weights)
        torch._foreach_add_(self._gradients, found)


_WARM_UP = 20
"""Steps in which the learning rate rises."""
_WEIGHT_DECAY = 1e-3
_HORIZON = 0.3
"""Share of the steps so far over which the weights are averaged."""


class AveragingOptimizer:
    """AdamW with a constant learning rate, and an average of the weights.

    The average replaces a falling learning rate. A falling rate needs the number of
    steps in advance; the average does not.

    Parameters
    ----------
    network : Module
        Network to train, on its device.
    rate : float
        Learning rate after the first steps.
    """

    def __init__(self, network: nn.Module, rate: float) -> None:
        weights: list[Tensor] = list(network.parameters())
        self._descent = descent(
            network, [{"params": weights, "weight_decay": _WEIGHT_DECAY}]
        )
        self._average = WeightAverage(network, growing_horizon(_HORIZON))
        self._rate, self._done = rate, 0

    def step(self, losses: Sequence[Loss]) -> None:
        """Go down the gradient of a sum of losses."""
        self._done += 1
        self._descent.step(losses, self._rate * min(self._done / _WARM_UP, 1.0))
        with one_thread():
            self._average.update()

    @contextmanager
    def averaged(self) -> Generator[None, None, None]:
        """Use the averaged weights within the context."""
        self._average.apply()
        try:
            yield
        finally:
            self._average.restore()

    def finish(self) -> None:
        """Keep the averaged weights."""
        self._average.apply()
