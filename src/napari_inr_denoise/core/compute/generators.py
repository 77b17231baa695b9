"""A generator's steps in a for loop, and what it returned afterwards."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Generic, TypeVar

_Step = TypeVar("_Step")
_Result = TypeVar("_Result")


class GeneratorResult(Generic[_Step, _Result]):
    """Iterate over a generator, then read `result`.

    ::

        run = GeneratorResult(denoise_steps(image))
        for step in run:
            show(step)
        keep(run.result)

    Parameters
    ----------
    steps : Generator
        Closed when the iteration is left early.
    """

    result: _Result

    def __init__(self, steps: Generator[_Step, None, _Result]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[_Step]:
        """Yield the steps; `result` is there when they are over."""
        self.result = yield from self._steps


_Found = TypeVar("_Found")
_LOOK_EVERY_S = 0.1


def run_in_thread(work: Callable[[], _Found]) -> Generator[None, None, _Found]:
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
