"""The gradient of a training step on the CPU: same bits for any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from napari_inr_denoise.core.compute.threads import (
    one_thread,
    restored_thread_count,
    set_thread_count,
)


@dataclass(frozen=True)
class Loss:
    """One part of the loss of a training step, and its inputs.

    Attributes
    ----------
    function : callable
        From the inputs to a scalar Tensor.
    inputs : tuple of Tensor
        All on the network's device.
    key : hashable
        Losses with the same key differ in their inputs alone.
    """

    function: Callable[..., Tensor]
    inputs: tuple[Tensor, ...]
    key: Hashable = None

    def __call__(self) -> Tensor:
        """Return the loss."""
        return self.function(*self.inputs)


def part_count(device: torch.device) -> int:
    """Return into how many parts the loss of a step is split.

    Always two on the CPU, whatever the number of threads, because the sums of each
    part are rounded on their own. Other devices parallelise a whole step themselves.

    Parameters
    ----------
    device : torch.device
        Device of the network.
    """
    return 2 if device.type == "cpu" else 1


class Gradient:
    """The gradient of a sum of losses with respect to a network's parameters.

    Each loss is computed by one thread, and the gradients are added in order. If torch
    divided a single sum among its threads, machines with different numbers of threads
    would round differently, and the images would differ after some hundred steps. It
    is also faster: a step is a hundred small operations, and the threads wait for each
    other once a step instead of once an operation.

    Parameters
    ----------
    network : Module
        On the CPU.
    """

    def __init__(self, network: nn.Module) -> None:
        self._parameters = [one for one in network.parameters() if one.requires_grad]
        self._pool: ThreadPoolExecutor | None = None

    def take(self, losses: Sequence[Loss]) -> None:
        """Set the gradient of every parameter.

        Parameters
        ----------
        losses : sequence of Loss
            Their sum is the loss. They may run at the same time.

        Raises
        ------
        Exception
            What one of the losses raises, after all of them have ended.
        """
        first, *others = self._gradients(losses)
        with one_thread():
            for part in others:
                torch._foreach_add_(first, part)
        for parameter, value in zip(self._parameters, first, strict=True):
            parameter.grad = value

    def _gradients(self, losses: Sequence[Loss]) -> list[list[Tensor]]:
        with restored_thread_count() as threads:
            if threads == 1 or len(losses) == 1:
                return [self._gradient(loss) for loss in losses]
            if self._pool is None:
                most = min(threads, len(losses))
                self._pool = ThreadPoolExecutor(most, "inr-denoise-gradient")
            futures = [self._pool.submit(self._gradient, loss) for loss in losses]
            wait(futures)
            return [future.result() for future in futures]

    def _gradient(self, loss: Loss) -> list[Tensor]:
        set_thread_count(1)
        found = torch.autograd.grad(loss(), self._parameters)
        return [
            _laid_out_as(one, parameter)
            for one, parameter in zip(found, self._parameters, strict=True)
        ]


def _laid_out_as(gradient: Tensor, parameter: Tensor) -> Tensor:
    """Return a gradient in the memory layout of its parameter.

    Unlike `backward`, `grad` returns that of a convolution with its channels last. The
    fused optimizer reads the memory of both in order, whatever their strides are.
    """
    if gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)
