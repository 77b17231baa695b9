"""Jobs of one kind side by side in threads, their results in the jobs' order."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Event
from typing import TypeVar

import torch

from napari_inr_denoise.core.outcome import Outcome

_Found = TypeVar("_Found")
_LOOK_EVERY_S = 0.1
_LAST_WAIT_S = 0.5
"""For jobs that are under way when the others are given up."""


def side_by_side(
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
    threads_in_all = torch.get_num_threads()
    share = max(threads_in_all // lanes, 1)
    given_up, left = Event(), iter(jobs)
    under_way: deque[Future[_Found]] = deque()
    pool = ThreadPoolExecutor(
        lanes, "inr-denoise-lane", torch.set_num_threads, (share,)
    )
    try:
        while True:
            for job in islice(left, lanes - len(under_way)):
                under_way.append(pool.submit(_result, job, given_up))
            if not under_way:
                return
            while not wait([under_way[0]], _LOOK_EVERY_S).done:
                yield None
            # The number is each thread's own, but new threads take the last one set.
            torch.set_num_threads(threads_in_all)
            yield under_way.popleft().result()
    finally:
        given_up.set()
        pool.shutdown(wait=False, cancel_futures=True)
        wait(under_way, _LAST_WAIT_S)
        torch.set_num_threads(threads_in_all)


def _result(job: Generator[None, None, _Found], given_up: Event) -> _Found:
    for _ in (run := Outcome(job)):
        if given_up.is_set():
            raise CancelledError
    return run.result
