"""A gradient in parts: the same bits, however many threads there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import torch
from torch import Tensor, nn

Loss = Callable[[], Tensor]


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


class Gradient:
    """The gradient of a sum of losses, with respect to a network's parameters.

    On the CPU every loss has one thread, and the sums of all are added in their order.
    Were a single sum shared out among the threads, as torch does, a machine with more
    of them would round it differently, and after some hundred steps the images would
    differ. It is faster, too: a step is a hundred small operations, and the threads
    wait for each other once in it, not after each operation.

    Parameters
    ----------
    network : Module
        On its device.
    """

    def __init__(self, network: nn.Module) -> None:
        self._parameters = [one for one in network.parameters() if one.requires_grad]
        self._on_cpu = self._parameters[0].device.type == "cpu"
        self._threads: ThreadPoolExecutor | None = None

    def take(self, losses: Sequence[Loss]) -> None:
        """Give every parameter its gradient.

        Parameters
        ----------
        losses : sequence of callable
            Each returns its share of the loss, a Tensor of no dimensions. They may
            run side by side.

        Raises
        ------
        Exception
            What one of the losses raises; all have ended by then.
        """
        parts = self._side_by_side(losses) if self._on_cpu else map(self._of, losses)
        first, *others = parts
        for part in others:
            torch._foreach_add_(first, part)
        for parameter, value in zip(self._parameters, first, strict=True):
            parameter.grad = value

    def _of(self, loss: Loss) -> list[Tensor]:
        return list(torch.autograd.grad(loss(), self._parameters))

    def _side_by_side(self, losses: Sequence[Loss]) -> list[list[Tensor]]:
        threads = torch.get_num_threads()
        try:
            if threads == 1 or len(losses) == 1:
                return [self._on_one_thread(loss) for loss in losses]
            if self._threads is None:
                most = min(threads, len(losses))
                self._threads = ThreadPoolExecutor(most, "inr-denoise-gradient")
            work = [self._threads.submit(self._on_one_thread, loss) for loss in losses]
            wait(work)
            return [one.result() for one in work]
        finally:
            # The number is each thread's own, but new threads take the last one set.
            torch.set_num_threads(threads)

    def _on_one_thread(self, loss: Loss) -> list[Tensor]:
        torch.set_num_threads(1)
        return self._of(loss)
