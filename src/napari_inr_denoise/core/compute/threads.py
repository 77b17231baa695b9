"""The number of threads that torch uses on the CPU. No other module sets it.

Each thread has its own number. A thread that torch has not seen before takes the number
that was set last, in whichever thread. So a worker sets its own number when it starts,
and every change ends by setting the caller's number again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

import torch

_worker = local()


def set_thread_count(count: int) -> None:
    """Set the number of torch's threads for the calling thread.

    Parameters
    ----------
    count : int
        At least 1.
    """
    # The first call registers a new thread with torch. Registered later, the thread
    # would lose its number.
    torch.get_num_threads()
    torch.set_num_threads(count)


@contextmanager
def restored_thread_count() -> Iterator[int]:
    """Yield the caller's number of threads, and set it again at the end."""
    count = torch.get_num_threads()
    try:
        yield count
    finally:
        torch.set_num_threads(count)


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one of torch's threads inside.

    For work on the weights of a network, or on the values drawn for a step. It ends
    before other threads have woken up. Without OMP_WAIT_POLICY these would then spin
    for milliseconds and slow down the step itself: a step drawn with two threads took
    1.5 times as long, and a fit beside busy processes two to four times.
    """
    with restored_thread_count():
        torch.set_num_threads(1)
        yield


class ThreadShares:
    """The caller's threads of torch, divided among workers.

    Parameters
    ----------
    workers : int
        Number of workers that run at the same time.
    """

    def __init__(self, workers: int) -> None:
        self._total = torch.get_num_threads()
        # A worker may divide its own share. The first caller's number is then kept.
        self._outermost = getattr(_worker, "outermost", self._total)
        self._share = max(self._total // workers, 1)

    def start_worker(self) -> None:
        """Give the calling thread, a new worker, its share."""
        set_thread_count(self._share)
        _worker.outermost = self._outermost

    def divide(self, workers: int) -> None:
        """Give the calling worker its share among so many workers."""
        torch.set_num_threads(self._total // workers)

    def restore(self) -> None:
        """Give the caller, and new threads, all threads again."""
        torch.set_num_threads(self._total)

    def end_late_worker(self) -> None:
        """Set the first caller's number, for threads that start after a late worker.

        A worker may end long after the caller restored its number.
        """
        torch.set_num_threads(self._outermost)
