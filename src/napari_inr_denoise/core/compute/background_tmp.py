"""Long work that cannot look up, with a chance to stop meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

_Found = TypeVar("_Found")
_LOOK_EVERY_S = 0.1


def in_background(work: Callable[[], _Found]) -> Generator[None, None, _Found]:
    """Work in a thread, and come back ten times a second until it is done.

    Parameters
    ----------
    work : callable
        Runs to its end also where the generator is closed before; what it returns or
        raises is then dropped.

    Yields
    ------
    None
        Nothing new, but a chance to stop.

    Returns
    -------
    object
        What `work` returns.

    Raises
    ------
    Exception
        What `work` raises.
    """
    threads = ThreadPoolExecutor(1, "inr-denoise-preparation")
    try:
        future = threads.submit(work)
        while not wait([future], _LOOK_EVERY_S).done:
            yield
        return future.result()
    finally:
        threads.shutdown(wait=False)
