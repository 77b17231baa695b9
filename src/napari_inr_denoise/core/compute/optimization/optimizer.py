"""AdamW and Muon on all devices, and the optimizer of blind-spot networks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn

from napari_inr_denoise.core.compute.cuda_graphs import Recorder, graphs_for
from napari_inr_denoise.core.compute.optimization.adamw import (
    BETA1,
    AdamWOnCpu,
    AdamWOnDevice,
    Group,
)
from napari_inr_denoise.core.compute.optimization.gradient import Gradient, Loss
from napari_inr_denoise.core.compute.optimization.muon import Muon
from napari_inr_denoise.core.compute.optimization.weight_averaging import (
    WeightAverage,
    growing_horizon,
)
from napari_inr_denoise.core.compute.threads import one_thread


class Descent(Protocol):
    """Steps of AdamW, and of Muon for some matrices."""

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


_NONE: Group = {"params": [], "weight_decay": 0.0}


def descent(
    network: nn.Module, groups: Sequence[Group], matrices: Group = _NONE
) -> Descent:
    """Return AdamW for the weights of a network, and Muon for some of them.

    Parameters
    ----------
    network : Module
        Network to train, on its device.
    groups : list of dict
        Parameter groups: weights ("params"), each once, and their "weight_decay".
    matrices : dict
        The other weights, which Muon moves.
    """
    device = next(network.parameters()).device
    graphs = graphs_for(device)
    if device.type == "cpu" and graphs is None:
        return _OnCpu(network, groups, matrices)
    return _OnDevice(groups, matrices, Recorder(graphs, device))


class _OnCpu:
    """The gradient in parts side by side, the step of AdamW in one kernel."""

    def __init__(
        self, network: nn.Module, groups: Sequence[Group], matrices: Group
    ) -> None:
        self._gradient, self._adam = Gradient(network), AdamWOnCpu(groups)
        self._matrices, self._muon = matrices["params"], Muon(matrices)

    def step(self, losses: Sequence[Loss], rate: float, beta1: float = BETA1) -> None:
        self._gradient.take(losses)
        with one_thread():
            self._adam.step(rate, beta1)
            found = [one.grad for one in self._matrices if one.grad is not None]
            self._muon.step(found, rate)


class _OnDevice:
    """Gradient and step in tensors that stay where they are, recorded if possible."""

    def __init__(
        self, groups: Sequence[Group], matrices: Group, recorder: Recorder
    ) -> None:
        self._recorder = recorder
        others = [weight for group in groups for weight in group["params"]]
        self._weights = [*others, *matrices["params"]]
        self._gradients = [torch.zeros_like(weight) for weight in self._weights]
        self._adam = AdamWOnDevice(groups, self._gradients[: len(others)])
        self._of_matrices = self._gradients[len(others) :]
        self._muon = Muon(matrices)
        self._state = [*self._adam.state, *self._muon.state]

    def step(self, losses: Sequence[Loss], rate: float, beta1: float = BETA1) -> None:
        torch._foreach_zero_(self._gradients)
        for loss in losses:
            add = partial(self._add, loss.function)
            key = "gradient", loss.key
            self._recorder.run(key, add, loss.inputs, self._gradients)
        self._adam.set_rates(rate, beta1)
        self._recorder.run("weights", self._move, (), self._state)

    def _move(self) -> None:
        self._adam.step()
        self._muon.step(self._of_matrices, self._adam.rate)

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
    """AdamW and Muon with a constant learning rate, and an average of the weights.

    The average replaces a falling learning rate. A falling rate needs the number of
    steps in advance; the average does not.

    Parameters
    ----------
    network : Module
        Network to train, on its device.
    rate : float
        Learning rate after the first steps.
    matrices : dict
        Weights of hidden layers, which Muon moves, and their decay over the rate.
    """

    def __init__(
        self, network: nn.Module, rate: float, matrices: Group = _NONE
    ) -> None:
        apart = {id(one) for one in matrices["params"]}
        weights: list[Tensor] = [
            one for one in network.parameters() if id(one) not in apart
        ]
        groups: list[Group] = [{"params": weights, "weight_decay": _WEIGHT_DECAY}]
        self._descent = descent(network, groups, matrices)
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
