"""AdamW with a one-cycle learning rate, on the CPU and on other devices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
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


_WARM_UP = 0.1
"""Share of the steps in which the rate rises."""
_FIRST_RATE, _LAST_RATE = 25.0, 1e4
"""The largest rate over the first, and the first over the last."""
_BETA1 = (0.95, 0.85)
"""Adam's beta1 at the smallest and the largest learning rate."""
_WEIGHT_DECAY = 1e-3


class OneCycleOptimizer:
    """AdamW whose learning rate rises for a tenth of the steps, then falls to about 0.

    Parameters
    ----------
    network : Module
        Network to train, on its device.
    rate : float
        Largest learning rate.
    steps : int
        Number of steps of the whole training.
    """

    def __init__(self, network: nn.Module, rate: float, steps: int) -> None:
        weights: list[Tensor] = list(network.parameters())
        self._descent = descent(
            network, [{"params": weights, "weight_decay": _WEIGHT_DECAY}]
        )
        self._rate, self._steps, self._done = rate, steps, 0

    def step(self, losses: Sequence[Loss]) -> None:
        """Go down the gradient of a sum of losses."""
        self._descent.step(losses, *one_cycle(self._done, self._steps, self._rate))
        self._done += 1


def one_cycle(done: int, steps: int, rate: float) -> tuple[float, float]:
    """Return the learning rate and Adam's beta1 of a step.

    Smith, Topin, "Super-Convergence", 2019: the learning rate rises along a cosine
    while beta1 falls, then both go back. Same values as torch's OneCycleLR.

    Parameters
    ----------
    done : int
        Number of steps before this one.
    steps : int
        Number of steps of the whole training.
    rate : float
        Largest learning rate.
    """
    top = _WARM_UP * (steps + 1) - 1
    if 0 <= done <= top and top > 0:
        share, (first, last), beta1 = done / top, (rate / _FIRST_RATE, rate), _BETA1
    else:
        share, beta1 = (done - top) / (steps - top), _BETA1[::-1]
        first, last = rate, rate / _FIRST_RATE / _LAST_RATE
    return _along_cosine(first, last, share), _along_cosine(*beta1, share)


def _along_cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) / 2.0 * (math.cos(math.pi * share) + 1)
