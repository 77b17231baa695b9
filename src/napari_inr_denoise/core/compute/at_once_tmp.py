"""Networks that have nothing to do with each other, fitted at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, closing, suppress
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

import torch

from napari_inr_denoise.core.compute.devices import synchronise
from napari_inr_denoise.core.compute.generators import Outcome
from napari_inr_denoise.core.compute.lanes_tmp import Lanes

_MOST_UNHEARD = 32
"""Steps: who is not asked for more makes a pause."""
_PAUSE_S = 0.01
_Step = TypeVar("_Step")
_Found = TypeVar("_Found")
Fits = Sequence[Generator[_Step, None, _Found]]
Steps = Generator[tuple[int, _Step], None, list[_Found]]


def has_lanes(count: int, device: torch.device) -> bool:
    """Return whether so many fits are worked on in threads."""
    return device.type == "cpu" and count > 1 and torch.get_num_threads() > 1


def fitted_at_once(
    fits: Fits[_Step, _Found], device: torch.device
) -> Steps[_Step, _Found]:
    """Fit networks side by side; each gives the bytes that it gives alone.

    A step of a small network is a hundred small operations, which more threads, or all
    of a GPU, hardly make faster: two networks at once take little longer than one. On
    the CPU each has threads of its own. On CUDA the steps of all are started in turns,
    each network's in a stream of its own, so that they run at the same time. Elsewhere
    one is fitted after the other.

    Parameters
    ----------
    fits : sequence of Generator
        Where one yields all may be given up. None may use tensors of another.
    device : torch.device
        Where the networks are.

    Yields
    ------
    number : int
        Of a fit.
    step : object
        What it yields.

    Returns
    -------
    list
        What the fits return, in their order.

    Raises
    ------
    Exception
        What one of the fits raises; the others are given up.
    """
    if has_lanes(len(fits), device):
        return (yield from _in_threads(fits))
    if device.type == "cuda" and len(fits) > 1:
        here = torch.cuda.current_stream(device)
        streams = [torch.cuda.Stream(device) for _ in fits]
        for stream in streams:
            stream.wait_stream(here)  # for what the fits were given
        contexts = [partial(torch.cuda.stream, stream) for stream in streams]
        found = yield from _in_turns(fits, contexts, device)
        for stream in streams:
            here.wait_stream(stream)  # for what they have made
        return found
    return (yield from _one_by_one(fits))


def _one_by_one(fits: Fits[_Step, _Found]) -> Steps[_Step, _Found]:
    found = []
    for number, fit in enumerate(fits):
        for step in (run := Outcome(fit)):
            yield number, step
        found.append(run.result)
    return found


def _in_turns(
    fits: Fits[_Step, _Found],
    contexts: Sequence[Callable[[], AbstractContextManager[object]]],
    device: torch.device,
) -> Steps[_Step, _Found]:
    """Go on with each fit in turn, in its context."""
    left, found = dict(enumerate(fits)), {}
    first = True
    try:
        while left:
            for number, fit in list(left.items()):
                with contexts[number]():
                    try:
                        step = next(fit)
                    except StopIteration as end:
                        found[number] = end.value
                        del left[number]
                        continue
                if first:
                    # What is made once, and kept for all, must be there for the next.
                    synchronise(device)
                yield number, step
            first = False
        return [found[number] for number in range(len(fits))]
    finally:
        for fit in left.values():
            fit.close()
        if left:
            # Their memory must not be given away while they write to it; and where the
            # device has failed, that is known by another error.
            with suppress(RuntimeError):
                synchronise(device)


def _in_threads(fits: Fits[_Step, _Found]) -> Steps[_Step, _Found]:
    """Work on each fit in a thread; who goes on alone has all threads of the caller."""
    heard: SimpleQueue[tuple[int, _Step] | None] = SimpleQueue()
    left = set(range(len(fits)))
    most = min(len(fits), torch.get_num_threads())
    with closing(Lanes(most)) as lanes:

        def hear(number: int, step: _Step) -> None:
            heard.put((number, step))
            _pause(heard, lanes)
            at_work = min(max(len(left), 1), most)
            torch.set_num_threads(lanes.threads // at_work)

        def end(number: int, _: Future[_Found]) -> None:
            left.discard(number)
            heard.put(None)

        under_way = []
        for number, fit in enumerate(fits):
            future = lanes.take(fit, partial(hear, number))
            future.add_done_callback(partial(end, number))
            under_way.append(future)
        for _ in fits:
            while (step := heard.get()) is not None:
                yield step
            for future in under_way:
                if future.done():
                    future.result()
        return [future.result() for future in under_way]


def _pause(heard: SimpleQueue[_Step], lanes: Lanes) -> None:
    """Wait while nobody asks for what was said before."""
    while heard.qsize() > _MOST_UNHEARD and not lanes.given_up:
        time.sleep(_PAUSE_S)
