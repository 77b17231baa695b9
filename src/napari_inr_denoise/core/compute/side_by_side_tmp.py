"""Jobs of one kind side by side in threads, their results in the jobs' order."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, wait
from contextlib import closing
from itertools import islice
from typing import TypeVar

from napari_inr_denoise.core.compute.lanes_tmp import Lanes

_Found = TypeVar("_Found")
_LOOK_EVERY_S = 0.1


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
    left = iter(jobs)
    under_way: deque[Future[_Found]] = deque()
    with closing(Lanes(lanes)) as threads:
        while True:
            for job in islice(left, lanes - len(under_way)):
                under_way.append(threads.take(job))
            if not under_way:
                return
            while not wait([under_way[0]], _LOOK_EVERY_S).done:
                yield None
            threads.take_back()
            yield under_way.popleft().result()
