"""Generators that yield progress and return a result."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Generic, TypeVar

_Step = TypeVar("_Step")
_Result = TypeVar("_Result")


class GeneratorResult(Generic[_Step, _Result]):
    """Iterate over a generator, then read its return value from `result`.

    ::

        run = GeneratorResult(denoise_steps(image))
        for step in run:
            show(step)
        keep(run.result)

    Parameters
    ----------
    steps : Generator
        Closed if the iteration ends early.
    """

    result: _Result

    def __init__(self, steps: Generator[_Step, None, _Result]) -> None:
        self._steps = steps

    def __iter__(self) -> Iterator[_Step]:
        """Yield the steps. Afterwards `result` is set."""
        self.result = yield from self._steps


_POLL_INTERVAL_S = 0.1


def run_in_thread(work: Callable[[], _Result]) -> Generator[None, None, _Result]:
    """Run a function in a thread; yield ten times a second until it has ended.

    Parameters
    ----------
    work : callable
        Runs to its end even if the generator is closed before. Its result or exception
        is then ignored.

    Yields
    ------
    None
        The caller may stop here.

    Returns
    -------
    object
        What `work` returns.

    Raises
    ------
    Exception
        What `work` raises.
    """
    pool = ThreadPoolExecutor(1, "inr-denoise-preparation")
    try:
        future = pool.submit(work)
        while not wait([future], _POLL_INTERVAL_S).done:
            yield
        return future.result()
    finally:
        pool.shutdown(wait=False)
