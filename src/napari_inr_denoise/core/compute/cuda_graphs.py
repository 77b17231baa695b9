"""Work on a GPU that is recorded once as a CUDA graph, and then replayed.

A training step is a hundred small operations, and launching them takes longer than
running them. A recording is used only if its first replay gives the result of the work
itself. Otherwise, and if recording fails, the work runs operation by operation.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from threading import Lock
from typing import Protocol

import torch
from torch import Tensor

_WARM_UPS = 3
"""Runs before a recording, in which libraries allocate their memory."""
_TOLERANCE = 0.01
"""Largest difference of a replay, as a fraction of what the work changes."""
_recording = Lock()
"""CUDA allows one recording at a time in a process; runs may be in several threads."""
_failures: dict[torch.device, str] = {}
"""Devices on which nothing is recorded any more, each with a sentence for reports."""


class Graphs(Protocol):
    """A way to record work on tensors that keep their memory."""

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """Return a function that repeats the operations on the same tensors.

        Parameters
        ----------
        work : callable
            May run several times here.
        """


class CudaGraphs:
    """Recording by CUDA graphs.

    Parameters
    ----------
    device : torch.device
        A CUDA device.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)
        # Shared by all graphs: none needs it after a replay, and they never overlap.
        self._pool = torch.cuda.graph_pool_handle()

    def record(self, work: Callable[[], None]) -> Callable[[], None]:
        """Return the replay of a graph of the work."""
        graph = torch.cuda.CUDAGraph()
        with _recording, torch.cuda.device(self._device), _same_stream():
            self._warm_up(work)
            # Other threads may use the GPU meanwhile: a viewer or another run.
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


def _same_stream() -> AbstractContextManager[None]:
    """Return a context after which this thread works in the same stream as before.

    `torch.cuda.graph` leaves it in its own stream where a recording fails.
    """
    return torch.cuda.stream(torch.cuda.current_stream())


def graphs_for(device: torch.device) -> Graphs | None:
    """Return how to record work on a device; None if it is not recorded."""
    return CudaGraphs(device) if device.type == "cuda" else None


def capture_notes(device: torch.device) -> tuple[str, ...]:
    """Return sentences for reports if recording has failed on a device."""
    return tuple(
        reason
        for failed, reason in _failures.items()
        # "cuda" without an index means any CUDA device.
        if failed.type == device.type and device.index in (None, failed.index)
    )


class Recorder:
    """Runs work on a device: directly the first time, then as a recording.

    Parameters
    ----------
    graphs : Graphs or None
        How to record; None to always run directly.
    device : torch.device
        Device of the work. A failed recording ends all recording on it in this process.
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
        """Run work once.

        Parameters
        ----------
        key : hashable
            With the same key and shapes, work differs in its inputs alone.
        work : callable
            Takes the inputs. Changes the state in place, and nothing else.
        inputs : sequence of Tensor
            On the device.
        state : sequence of Tensor
            Always the same tensors for a key.
        """
        if self._graphs is None or self._device in _failures:
            work(*inputs)
            return
        full_key = (key, *(one.shape for one in inputs))
        if full_key in self._recorded:
            self._recorded[full_key].play(inputs)
            return
        before = _copies(state)
        work(*inputs)
        expected = _copies(state)
        try:
            recording = _Recording(self._graphs, work, inputs)
            _copy_to(state, before)
            recording.play(inputs)
            _check(state, before, expected)
        except Exception as error:  # noqa: BLE001 - drivers raise anything
            self._disable(str(error).strip() or type(error).__name__)
            _copy_to(state, expected)
        else:
            self._recorded[full_key] = recording

    def _disable(self, reason: str) -> None:
        self._recorded.clear()
        _failures[self._device] = (
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
        _copy_to(self._inputs, inputs)
        self._replay()


def _check(
    found: Sequence[Tensor], before: Sequence[Tensor], expected: Sequence[Tensor]
) -> None:
    """Raise RuntimeError if a replay differs from the work itself."""
    off, change = _distance(found, expected), _distance(expected, before)
    if not bool((off <= _TOLERANCE * change).all()):
        raise RuntimeError("the first replay gave other numbers")


@torch.no_grad()
def _copies(tensors: Sequence[Tensor]) -> list[Tensor]:
    return [one.detach().clone() for one in tensors]


@torch.no_grad()
def _copy_to(targets: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    for target, value in zip(targets, values, strict=True):
        target.copy_(value)


@torch.no_grad()
def _distance(some: Sequence[Tensor], others: Sequence[Tensor]) -> Tensor:
    """Return the Euclidean distance of each pair of tensors."""
    pairs = zip(some, others, strict=True)
    return torch.stack([(one - other).norm() for one, other in pairs])
