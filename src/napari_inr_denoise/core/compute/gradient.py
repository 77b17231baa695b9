"""A gradient on the CPU, in parts: the same bits, however many threads there are."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Loss:
    """A share of the loss of a step, as a function of what differs between steps.

    Attributes
    ----------
    function : callable
        From the inputs to a Tensor of no dimensions.
    inputs : tuple of Tensor
        All on the network's device.
    key : hashable
        Losses of one key are one function: nothing but the inputs is another.
    """

    function: Callable[..., Tensor]
    inputs: tuple[Tensor, ...]
    key: Hashable = None

    def __call__(self) -> Tensor:
        """Return the loss."""
        return self.function(*self.inputs)


def part_count(device: torch.device) -> int:
    """Return in how many parts a step is taken.

    On the CPU always two, and not one a thread: each part's sums are rounded on their
    own. Other devices share out a whole step themselves.

    Parameters
    ----------
    device : torch.device
        Of the network.
    """
    return 2 if device.type == "cpu" else 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread inside; the number is as before afterwards.

    For work on no more than a network's weights, or what a step is drawn from. It is
    done before others have woken, and these would spin for milliseconds in the way of
    the step's own threads, unless OMP_WAIT_POLICY is set: drawn with two threads a step
    took 1.5 times as long, and beside busy processes a fit two to four times.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        # The number is each thread's own, but new threads take the last one set.
        torch.set_num_threads(threads)


class Gradient:
    """The gradient of a sum of losses, with respect to a network's parameters.

    Every loss has one thread, and the sums of all are added in their order.
    Were a single sum shared out among the threads, as torch does, a machine with more
    of them would round it differently, and after some hundred steps the images would
    differ. It is faster, too: a step is a hundred small operations, and the threads
    wait for each other once in it, not after each operation.

    Parameters
    ----------
    network : Module
        On the CPU.
    """

    def __init__(self, network: nn.Module) -> None:
        self._parameters = [one for one in network.parameters() if one.requires_grad]
        self._threads: ThreadPoolExecutor | None = None

    def take(self, losses: Sequence[Loss]) -> None:
        """Give every parameter its gradient.

        Parameters
        ----------
        losses : sequence of Loss
            Their sum is the loss. They may run side by side.

        Raises
        ------
        Exception
            What one of the losses raises; all have ended by then.
        """
        first, *others = self._side_by_side(losses)
        with one_thread():
            for part in others:
                torch._foreach_add_(first, part)
        for parameter, value in zip(self._parameters, first, strict=True):
            parameter.grad = value

    def _side_by_side(self, losses: Sequence[Loss]) -> list[list[Tensor]]:
        threads = torch.get_num_threads()
        try:
            if threads == 1 or len(losses) == 1:
                return [self._on_one_thread(loss) for loss in losses]
            if self._threads is None:
                most = min(threads, len(losses))
                # Torch must have met a thread before the thread sets its own number.
                self._threads = ThreadPoolExecutor(
                    most, "inr-denoise-gradient", torch.get_num_threads
                )
            work = [self._threads.submit(self._on_one_thread, loss) for loss in losses]
            wait(work)
            return [one.result() for one in work]
        finally:
            # The number is each thread's own, but new threads take the last one set.
            torch.set_num_threads(threads)

    def _on_one_thread(self, loss: Loss) -> list[Tensor]:
        torch.set_num_threads(1)
        return list(torch.autograd.grad(loss(), self._parameters))
