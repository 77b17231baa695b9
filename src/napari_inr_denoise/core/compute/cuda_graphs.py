"""Work on a GPU that is recorded once and then launched as one.

A training step is a hundred small operations, and starting them takes longer than they
do. A recording is trusted only after its first replay has done what the work itself
does; otherwise, and where it cannot be made, the work goes on operation by operation.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol

import torch
from torch import Tensor

_WARM_UPS = 3
"""Runs before a recording, in which libraries take what memory they need."""
_MOST_OFF = 0.01
"""Of what a replay may do otherwise, as a share of what the work changes."""
_given_up: dict[torch.device, str] = {}


class Graphs(Protocol):
    """A way to record work on tensors that stay where they are."""

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """Return what does the same operations again on the same tensors.

        Parameters
        ----------
        work : callable
            May be run several times here.
        """


class CudaGraphs:
    """Records by CUDA graphs.

    Parameters
    ----------
    device : torch.device
        A CUDA device.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        # One for all: nothing in it is needed after a replay, and none run at once.
        self._pool = torch.cuda.graph_pool_handle()

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """Return the replay of a graph of the work."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.device(self._device):
            self._warm_up(work)
            # Other threads may use the GPU meanwhile, a viewer or another run.
            with torch.cuda.graph(
                graph,
                pool=self._pool,
                stream=self._stream,
                capture_error_mode="thread_local",
            ):
                work()
        return graph.replay

    def _warm_up(self, work: Callable[[], None]) -> None:
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            for _ in range(_WARM_UPS):
                work()
        torch.cuda.current_stream().wait_stream(self._stream)


def graphs_for(device: torch.device) -> Graphs | None:
    """Return how work on a device is recorded; None where it is not."""
    return CudaGraphs(device) if device.type == "cuda" else None


def capture_notes(device: torch.device) -> tuple[str, ...]:
    """Return a sentence where recordings were given up on a device, for reports."""
    return tuple(
        reason
        for given, reason in _given_up.items()
        # "cuda" stands for any of them.
        if given.type == device.type and device.index in (None, given.index)
    )


class Recorder:
    """Runs work on a device: by itself at first, then as a recording.

    Parameters
    ----------
    graphs : Graphs or None
        How it is recorded; None where it is not.
    device : torch.device
        Where the work is. Given up once, it is for all of the process.
    """

    def __init__(self, graphs: Graphs | None, device: torch.device) -> None:
        self._graphs, self._device = graphs, device
        self._recorded: dict[Hashable, _Recording] = {}

    def run(
        self,
        key: Hashable,
        work: Callable[..., None],
        inputs: Sequence[Tensor],
        state: Sequence[Tensor],
    ) -> None:
        """Do work once.

        Parameters
        ----------
        key : hashable
            Of one key and one set of shapes all work is the same but for its inputs.
        work : callable
            Takes the inputs, and changes the state in place and nothing else.
        inputs : sequence of Tensor
            On the device.
        state : sequence of Tensor
            Always the same for a key.
        """
        if self._graphs is None or self._device in _given_up:
            work(*inputs)
            return
        known = (key, *(one.shape for one in inputs))
        if known in self._recorded:
            self._recorded[known].play(inputs)
            return
        before = _copies(state)
        work(*inputs)
        wanted = _copies(state)
        try:
            made = _Recording(self._graphs, work, inputs)
            _put(state, before)
            made.play(inputs)
            _check(state, before, wanted)
        except Exception as error:  # noqa: BLE001 - drivers fail in ways of their own
            self._give_up(str(error).strip() or type(error).__name__)
            _put(state, wanted)
        else:
            self._recorded[known] = made

    def _give_up(self, reason: str) -> None:
        self._recorded.clear()
        _given_up[self._device] = (
            f"Training steps could not be recorded on {self._device} "
            f"({reason.splitlines()[0]}): they were started operation by operation, "
            "which is slower and changes nothing else."
        )


class _Recording:
    """Work on copies of its inputs, and its replay."""

    def __init__(
        self, graphs: Graphs, work: Callable[..., None], inputs: Sequence[Tensor]
    ) -> None:
        self._inputs = _copies(inputs)
        self._replay = graphs.record(lambda: work(*self._inputs))

    def play(self, inputs: Sequence[Tensor]) -> None:
        _put(self._inputs, inputs)
        self._replay()


def _check(
    found: Sequence[Tensor], before: Sequence[Tensor], wanted: Sequence[Tensor]
) -> None:
    """Raise if a replay has not done what the work itself has."""
    off, change = _distance(found, wanted), _distance(wanted, before)
    if not bool((off <= _MOST_OFF * change).all()):
        raise RuntimeError("the first replay gave other numbers")


@torch.no_grad()
def _copies(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [one.detach().clone() for one in tensors]


@torch.no_grad()
def _put(targets: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    for target, value in zip(targets, values, strict=True):
        target.copy_(value)


@torch.no_grad()
def _distance(some: Sequence[Tensor], others: Sequence[Tensor]) -> Tensor:
    """Return, tensor by tensor, the root of the sum of the squared differences."""
    pairs = zip(some, others, strict=True)
    return torch.stack([(one - other).norm() for one, other in pairs])
