"""A generator's steps in a for loop, and what it returned afterwards."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Generic, TypeVar

_Step = TypeVar("_Step")
_Result = TypeVar("_Result")


class Outcome(Generic[_Step, _Result]):
    """Iterate over a generator, then read `result`.

    ::

        run = Outcome(denoise_steps(image))
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
