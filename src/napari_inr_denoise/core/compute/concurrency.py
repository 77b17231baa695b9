"""Threads for jobs side by side, which share torch's threads and end together."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, thread, wait
from contextlib import AbstractContextManager, closing, suppress
from functools import partial
from itertools import islice
from queue import SimpleQueue
from threading import Event, local
from typing import Any, TypeVar

import torch

from napari_inr_denoise.core.compute.devices import synchronize
from napari_inr_denoise.core.compute.generators import GeneratorResult

_Step = TypeVar("_Step")
_Found = TypeVar("_Found")
_LAST_WAIT_S = 0.5
"""For jobs that are under way when the others are given up."""


class WorkerPool:
    """Threads that jobs are worked on in, each with its share of torch's threads.

    Parameters
    ----------
    count : int
        How many jobs at once.

    Attributes
    ----------
    threads : int
        Of torch, for all lanes together.
    """

    def __init__(self, count: int) -> None:
        self.threads = torch.get_num_threads()
        # Of the first caller, where this one is in a lane itself.
        self._whole = getattr(_here, "whole", self.threads)
        begin = partial(_begin, max(self.threads // count, 1), self._whole)
        self._pool = ThreadPoolExecutor(count, "inr-denoise-lane", begin)
        self._given_up = Event()
        self._jobs: list[Future[Any]] = []

    def take(
        self,
        job: Generator[_Step, None, _Found],
        hear: Callable[[_Step], object] = lambda _: None,
    ) -> Future[_Found]:
        """Work on a job in a lane, or in the next that is free.

        Parameters
        ----------
        job : Generator
            Where it yields it may be given up.
        hear : callable
            Is given what the job yields, in the lane.

        Returns
        -------
        Future
            Of what the job returns or raises.
        """
        future = self._pool.submit(self._worked_on, job, hear)
        self._jobs = [one for one in self._jobs if not one.done()]
        self._jobs.append(future)
        return future

    def _worked_on(
        self, job: Generator[_Step, None, _Found], hear: Callable[[_Step], object]
    ) -> _Found:
        try:
            for step in (run := GeneratorResult(job)):
                if self.given_up:
                    raise CancelledError
                hear(step)
            return run.result
        finally:
            if self.given_up:
                # The last word: a job may end long after the lanes were closed, and
                # threads to come then take this number.
                torch.set_num_threads(self._whole)

    @property
    def given_up(self) -> bool:
        """Whether nobody waits for the jobs any more.

        So it is at the interpreter's end, which waits for threads: a caller may have
        left a generator open. There is no public word for it.
        """
        return self._given_up.is_set() or bool(getattr(thread, "_shutdown", False))

    def take_back(self) -> None:
        """Give the caller all of torch's threads again.

        The number is each thread's own, but new threads take the last one set.
        """
        torch.set_num_threads(self.threads)

    def close(self) -> None:
        """Give up what is not done."""
        self._given_up.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        wait(self._jobs, _LAST_WAIT_S)
        self.take_back()


_here = local()


def _begin(share: int, whole: int) -> None:
    """Give a new thread its share.

    Asked for the number first: a thread that torch has not met would take the last
    number that any thread has set, over its own.
    """
    torch.get_num_threads()
    torch.set_num_threads(share)
    _here.whole = whole


_MOST_UNHEARD = 32
"""Steps: who is not asked for more makes a pause."""
_PAUSE_S = 0.01
Fits = Sequence[Generator[_Step, None, _Found]]
Steps = Generator[tuple[int, _Step], None, list[_Found]]


def runs_in_threads(count: int, device: torch.device) -> bool:
    """Return whether so many fits are worked on in threads."""
    return device.type == "cpu" and count > 1 and torch.get_num_threads() > 1


def fit_concurrently(
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
    if runs_in_threads(len(fits), device):
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
        for step in (run := GeneratorResult(fit)):
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
                    synchronize(device)
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
                synchronize(device)


def _in_threads(fits: Fits[_Step, _Found]) -> Steps[_Step, _Found]:
    """Work on each fit in a thread; who goes on alone has all threads of the caller."""
    heard: SimpleQueue[tuple[int, _Step] | None] = SimpleQueue()
    left = set(range(len(fits)))
    most = min(len(fits), torch.get_num_threads())
    with closing(WorkerPool(most)) as lanes:

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


def _pause(heard: SimpleQueue[_Step], lanes: WorkerPool) -> None:
    """Wait while nobody asks for what was said before."""
    while heard.qsize() > _MOST_UNHEARD and not lanes.given_up:
        time.sleep(_PAUSE_S)


_LOOK_EVERY_S = 0.1


def map_ordered(
    jobs: Iterable[Generator[None, None, _Found]], lanes: int
) -> Generator[_Found | None, None, None]:
    """Work on some jobs at once, each with its share of torch's threads.

    Much of the work on a plane has one thread, in numpy or between torch's operations:
    plane by plane the other cores would wait.

    Parameters
    ----------
    jobs : iterable of Generator
        Each is taken when there is a lane for it, in the caller's thread; it is then
        worked on in another. Where it yields it may be given up.
    lanes : int
        How many at once.

    Yields
    ------
    object or None
        What the jobs return, in their order; None, ten times a second, while the next
        is not ready.

    Raises
    ------
    Exception
        What a job raises, in its place; the jobs after it are given up.
    """
    left = iter(jobs)
    under_way: deque[Future[_Found]] = deque()
    with closing(WorkerPool(lanes)) as threads:
        while True:
            for job in islice(left, lanes - len(under_way)):
                under_way.append(threads.take(job))
            if not under_way:
                return
            while not wait([under_way[0]], _LOOK_EVERY_S).done:
                yield None
            threads.take_back()
            yield under_way.popleft().result()
