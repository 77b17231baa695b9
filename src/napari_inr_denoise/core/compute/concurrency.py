"""Jobs that run at the same time: a pool of threads, and two ways to use it.

A job is a generator: it can be stopped where it yields.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, closing, suppress
from functools import partial
from itertools import islice
from queue import SimpleQueue
from threading import Event, Semaphore, Thread, main_thread
from typing import Any, TypeVar
from weakref import WeakSet

import torch

from napari_inr_denoise.core.compute.devices import synchronize
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.compute.threads import ThreadShares, one_thread

_Item = TypeVar("_Item")
_Step = TypeVar("_Step")
_Result = TypeVar("_Result")
Fits = Sequence[Generator[_Step, None, _Result]]
Steps = Generator[tuple[int, _Step], None, list[_Result]]
_CLOSING_TIMEOUT_S = 0.5
"""How long `WorkerPool.close` waits for running jobs."""
_POLL_INTERVAL_S = 0.1
"""How often `map_ordered` yields while it waits."""
_MAX_QUEUED_STEPS = 32
"""Steps that the caller has not read yet, above which the jobs pause."""
_PAUSE_S = 0.01


class WorkerPool:
    """A limited number of jobs at the same time, each in a thread of its own.

    The jobs share the caller's threads of torch.

    Parameters
    ----------
    count : int
        Largest number of jobs that run at the same time.

    Attributes
    ----------
    shares : ThreadShares
        Torch's threads, divided among the jobs.
    """

    def __init__(self, count: int) -> None:
        self.shares = ThreadShares(count)
        self._slots = Semaphore(count)
        self._closed = Event()
        self._futures: WeakSet[Future[Any]] = WeakSet()

    def submit(
        self,
        job: Generator[_Step, None, _Result],
        on_step: Callable[[_Step], object] = lambda _: None,
    ) -> Future[_Result]:
        """Run a job as soon as there is a free slot.

        Parameters
        ----------
        job : Generator
            May be stopped where it yields.
        on_step : callable
            Is called in the job's thread with everything that the job yields.

        Returns
        -------
        Future
            The value that the job returns, or the exception that it raises.
        """
        future: Future[_Result] = Future()
        self._futures.add(future)
        run = partial(self._run, job, on_step)
        Thread(target=_settle, args=(future, run), name="inr-denoise-worker").start()
        return future

    def _run(
        self, job: Generator[_Step, None, _Result], on_step: Callable[[_Step], object]
    ) -> _Result:
        with self._slots:
            self._raise_if_stopping()
            self.shares.start_worker()
            try:
                for step in (run := GeneratorResult(job)):
                    self._raise_if_stopping()
                    on_step(step)
                return run.result
            finally:
                if self.stopping:
                    self.shares.end_late_worker()

    @property
    def stopping(self) -> bool:
        """Whether the jobs shall stop: the pool is closed, or the interpreter ends.

        At its end the interpreter waits for threads, also for those of a generator
        that was left open. Only then the main thread is no longer alive.
        """
        return self._closed.is_set() or not main_thread().is_alive()

    def _raise_if_stopping(self) -> None:
        if self.stopping:
            raise CancelledError

    def close(self) -> None:
        """Stop the jobs, and give the caller all of torch's threads again."""
        self._closed.set()
        wait(self._futures, _CLOSING_TIMEOUT_S)
        self.shares.restore()


def _settle(future: Future[_Result], run: Callable[[], _Result]) -> None:
    """Give a future its value or its exception."""
    try:
        future.set_result(run())
    except BaseException as error:  # noqa: BLE001 - raised again for who reads it
        future.set_exception(error)
        # The traceback keeps this frame, which must not keep the future: a cycle.
        del future


def runs_in_threads(count: int, device: torch.device) -> bool:
    """Return whether `fit_concurrently` runs this number of fits in threads."""
    return device.type == "cpu" and count > 1 and torch.get_num_threads() > 1


def fit_concurrently(
    fits: Fits[_Step, _Result], device: torch.device
) -> Steps[_Step, _Result]:
    """Fit networks at the same time. Each gives the same bytes as alone.

    A training step of a small network is a hundred small operations, which more
    threads, or all of a GPU, hardly make faster: two networks at the same time take
    little longer than one. On the CPU each network has its own threads. On CUDA the
    steps are started in turns, each network's in its own stream, so that they overlap.
    On other devices the networks are fitted one after the other.

    Parameters
    ----------
    fits : sequence of Generator
        May be stopped where they yield. None may use tensors of another.
    device : torch.device
        Device of the networks.

    Yields
    ------
    number : int
        Index of a fit.
    step : object
        What that fit yields.

    Returns
    -------
    list
        What the fits return, in their order.

    Raises
    ------
    Exception
        What one of the fits raises. The others are stopped.
    """
    if runs_in_threads(len(fits), device):
        return (yield from _in_threads(fits))
    if device.type == "cuda" and len(fits) > 1:
        caller = torch.cuda.current_stream(device)
        streams = [torch.cuda.Stream(device) for _ in fits]
        for stream in streams:
            stream.wait_stream(caller)  # for the inputs of the fits
        contexts = [partial(torch.cuda.stream, stream) for stream in streams]
        results = yield from _in_turns(fits, contexts, device)
        for stream in streams:
            caller.wait_stream(stream)  # for the results
        return results
    return (yield from _one_by_one(fits))


def _one_by_one(fits: Fits[_Step, _Result]) -> Steps[_Step, _Result]:
    results = []
    for number, fit in enumerate(fits):
        for step in (run := GeneratorResult(fit)):
            yield number, step
        results.append(run.result)
    return results


def _in_turns(
    fits: Fits[_Step, _Result],
    contexts: Sequence[Callable[[], AbstractContextManager[object]]],
    device: torch.device,
) -> Steps[_Step, _Result]:
    """Advance each fit in turn, in its context."""
    running, results = dict(enumerate(fits)), {}
    first = True
    try:
        while running:
            for number, fit in list(running.items()):
                with contexts[number]():
                    try:
                        step = next(fit)
                    except StopIteration as end:
                        results[number] = end.value
                        del running[number]
                        continue
                if first:
                    # The first fit may fill caches, which the next one reads.
                    synchronize(device)
                yield number, step
            first = False
        return [results[number] for number in range(len(fits))]
    finally:
        for fit in running.values():
            fit.close()
        if running:
            # Their memory must not be freed while the device writes to it. An error of
            # the device itself has already been raised elsewhere.
            with suppress(RuntimeError):
                synchronize(device)


def _in_threads(fits: Fits[_Step, _Result]) -> Steps[_Step, _Result]:
    """Run each fit in a thread. The last one running has all threads of the caller."""
    queue: SimpleQueue[tuple[int, _Step] | None] = SimpleQueue()
    running = set(range(len(fits)))
    most = min(len(fits), torch.get_num_threads())
    with closing(WorkerPool(most)) as pool:

        def on_step(number: int, step: _Step) -> None:
            queue.put((number, step))
            _pause(queue, pool)
            pool.shares.divide(min(max(len(running), 1), most))

        def on_end(number: int, _: Future[_Result]) -> None:
            running.discard(number)
            queue.put(None)

        futures = []
        for number, fit in enumerate(fits):
            future = pool.submit(fit, partial(on_step, number))
            future.add_done_callback(partial(on_end, number))
            futures.append(future)
        for _ in fits:
            while (step := queue.get()) is not None:
                yield step
            for future in futures:
                if future.done():
                    future.result()
        return [future.result() for future in futures]


def _pause(queue: SimpleQueue[_Step], pool: WorkerPool) -> None:
    """Wait until the caller has read enough of the steps."""
    while queue.qsize() > _MAX_QUEUED_STEPS and not pool.stopping:
        time.sleep(_PAUSE_S)


def map_in_threads(
    function: Callable[[_Item], _Result], items: Sequence[_Item], most: int
) -> list[_Result]:
    """Call a function on each item, in threads of the CPU.

    Each call has one of torch's threads. As many calls run at the same time as the
    caller has threads of torch, and no more than `most`.

    Parameters
    ----------
    function : callable
        May use torch and numpy.
    items : sequence
        One argument for each call.
    most : int
        Largest number of calls at the same time.

    Returns
    -------
    list
        What the calls return, in the order of the items.

    Raises
    ------
    Exception
        The error of the first call that fails.
    """

    def alone(item: _Item) -> _Result:
        with one_thread():
            return function(item)

    workers = min(torch.get_num_threads(), most, len(items))
    if workers <= 1:
        return [alone(item) for item in items]
    shares = ThreadShares(workers)
    try:
        with ThreadPoolExecutor(workers, initializer=shares.start_worker) as pool:
            return list(pool.map(alone, items))
    finally:
        shares.restore()


def map_ordered(
    jobs: Iterable[Generator[None, None, _Result]], workers: int
) -> Generator[_Result | None, None, None]:
    """Run several jobs at the same time; yield their results in order.

    Much of the work on a plane uses one thread, in numpy or between torch's operations.
    Plane by plane the other cores would be idle.

    Parameters
    ----------
    jobs : iterable of Generator
        Each is taken in the caller's thread when a worker is free, and then runs in
        another thread. It may be stopped where it yields.
    workers : int
        Largest number of jobs at the same time.

    Yields
    ------
    object or None
        What the jobs return, in their order. None, ten times a second, until the next
        result is ready.

    Raises
    ------
    Exception
        What a job raises, in its place. The jobs after it are stopped.
    """
    waiting = iter(jobs)
    futures: deque[Future[_Result]] = deque()
    with closing(WorkerPool(workers)) as pool:
        while True:
            for job in islice(waiting, workers - len(futures)):
                futures.append(pool.submit(job))
            if not futures:
                return
            while not wait([futures[0]], _POLL_INTERVAL_S).done:
                yield None
            pool.shares.restore()
            yield futures.popleft().result()
