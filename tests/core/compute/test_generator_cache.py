"""Values that several jobs ask for are computed once."""

from __future__ import annotations

from collections.abc import Generator
from threading import Event, Thread

import pytest

from napari_inr_denoise.core.compute.concurrency import map_ordered
from napari_inr_denoise.core.compute.generator_cache import GeneratorCache
from napari_inr_denoise.core.compute.generators import GeneratorResult


def _whole(job: Generator[None, None, int]) -> int:
    for _ in (run := GeneratorResult(job)):
        pass
    return run.result


def test_a_value_is_computed_once() -> None:
    cache, calls = GeneratorCache[int](4), []

    def compute() -> Generator[None, None, int]:
        calls.append(1)
        yield
        return 7

    assert [_whole(cache.get("a", compute)) for _ in range(3)] == [7, 7, 7]
    assert len(calls) == 1


def test_a_job_waits_for_the_one_that_computes() -> None:
    cache, calls = GeneratorCache[int](4), []

    def compute() -> Generator[None, None, int]:
        calls.append(1)
        for _ in range(5):
            yield
        return 7

    jobs = [cache.get("a", compute) for _ in range(4)]
    found = [one for one in map_ordered(jobs, 4) if one is not None]
    assert found == [7, 7, 7, 7]
    assert len(calls) == 1


def test_the_oldest_value_is_dropped() -> None:
    cache, calls = GeneratorCache[int](2), []

    def compute() -> Generator[None, None, int]:
        calls.append(1)
        return len(calls)
        yield

    assert [_whole(cache.get(key, compute)) for key in "abca"] == [1, 2, 3, 4]


def test_an_error_reaches_every_job_that_waits_and_is_not_kept() -> None:
    cache, begun = GeneratorCache[int](2), Event()

    def fails() -> Generator[None, None, int]:
        begun.set()
        yield
        raise OSError("no such plane")

    def works() -> Generator[None, None, int]:
        return 3
        yield

    first = cache.get("a", fails)
    next(first)
    second = cache.get("a", works)
    next(second)
    with pytest.raises(OSError, match="no such plane"):
        next(first)
    with pytest.raises(OSError, match="no such plane"):
        _whole(second)
    assert _whole(cache.get("a", works)) == 3


def test_a_job_that_is_stopped_leaves_the_work_to_another() -> None:
    cache = GeneratorCache[int](2)

    def compute() -> Generator[None, None, int]:
        yield
        return 5

    first = cache.get("a", compute)
    next(first)
    found: list[int] = []
    second = cache.get("a", compute)
    next(second)
    waiting = Thread(target=lambda: found.append(_whole(second)), daemon=True)
    waiting.start()
    first.close()
    waiting.join(timeout=10)
    assert found == [5]
