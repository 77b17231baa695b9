"""Threads for jobs side by side, which share torch's threads and end together."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, thread, wait
from functools import partial
from threading import Event, local
from typing import Any, TypeVar

import torch

from napari_inr_denoise.core.compute.generators import Outcome

_Step = TypeVar("_Step")
_Found = TypeVar("_Found")
_LAST_WAIT_S = 0.5
"""For jobs that are under way when the others are given up."""


class Lanes:
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
            for step in (run := Outcome(job)):
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
