"""Jobs of several workers: the order of their results, their threads and their end."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing

import numpy as np
import pytest
import torch

from napari_inr_denoise.core.compute.concurrency import map_in_threads, map_ordered
from tests.core.torch_threads import four_threads

_threads = pytest.fixture(autouse=True)(four_threads)


def _job(
    number: int, seconds: float = 0.0, steps: int = 1
) -> Generator[None, None, int]:
    for _ in range(steps):
        time.sleep(seconds / steps)
        yield
    return number


def _results(jobs: Iterator[Generator[None, None, int]], workers: int) -> list[int]:
    return [one for one in map_ordered(jobs, workers) if one is not None]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_come_in_the_order_of_the_jobs(workers: int) -> None:
    seconds = np.random.default_rng(0).uniform(0, 0.03, 12)
    jobs = (_job(number, each) for number, each in enumerate(seconds))
    assert _results(jobs, workers) == list(range(12))


def test_no_job_is_no_result() -> None:
    assert _results(iter(()), 2) == []


def test_jobs_are_worked_on_at_once() -> None:
    both = threading.Barrier(2, timeout=10)

    def meeting(number: int) -> Generator[None, None, int]:
        both.wait()
        yield
        return number

    assert _results(map(meeting, range(4)), 2) == [0, 1, 2, 3]


def test_no_more_jobs_are_taken_than_there_are_workers() -> None:
    taken: list[int] = []
    finished: list[int] = []

    def jobs() -> Iterator[Generator[None, None, int]]:
        for number in range(6):
            taken.append(number)
            yield _job(number)

    for one in map_ordered(jobs(), 2):
        if one is not None:
            finished.append(one)
            assert len(taken) <= len(finished) + 1


def test_a_caller_hears_nothing_new_ten_times_a_second() -> None:
    updates = list(map_ordered(iter([_job(7, 0.45)]), 2))
    assert updates[-1] == 7
    assert 2 <= updates.count(None) <= 5


def test_an_error_comes_in_the_place_of_its_job() -> None:
    def failing() -> Generator[None, None, int]:
        yield
        raise MemoryError("no more")

    found = []
    with pytest.raises(MemoryError, match="no more"):
        found.extend(
            one
            for one in map_ordered(iter([_job(0, 0.1), failing(), _job(2)]), 3)
            if one is not None
        )
    assert found == [0]


def test_a_stop_gives_the_jobs_up() -> None:
    seen: list[int] = []

    def long(number: int) -> Generator[None, None, int]:
        for _ in range(500):
            seen.append(number)
            time.sleep(0.01)
            yield
        return number

    started = time.monotonic()
    with closing(map_ordered(map(long, range(4)), 2)) as updates:
        assert next(updates) is None
    assert time.monotonic() - started < 1.0
    count = len(seen)
    time.sleep(0.1)
    assert len(seen) == count
    assert set(seen) == {0, 1}


def test_workers_have_shares_of_the_threads_and_give_them_back() -> None:
    shares: list[int] = []

    def noting() -> Generator[None, None, int]:
        shares.append(torch.get_num_threads())
        yield
        return 0

    _results(iter([noting() for _ in range(4)]), 2)
    assert shares == [2, 2, 2, 2]
    assert torch.get_num_threads() == 4
    with closing(map_ordered(iter([_job(0, 0.3)]), 3)) as updates:
        next(updates)


def test_no_thread_is_left() -> None:
    _results((_job(number) for number in range(5)), 3)
    for _ in range(100):
        names = [one.name for one in threading.enumerate()]
        if not any(name.startswith("inr-denoise-worker") for name in names):
            return
        time.sleep(0.02)
    pytest.fail(f"threads are left: {names}")


@pytest.mark.parametrize(("most", "at_once"), [(0, 1), (1, 1), (3, 3), (9, 4)])
def test_a_function_is_mapped_in_order_with_one_thread_a_call(
    most: int, at_once: int
) -> None:
    together = threading.Barrier(at_once)
    working, counts = set(), []

    def called(number: int) -> tuple[int, int]:
        working.add(number)
        together.wait(timeout=30)
        counts.append(len(working))
        together.wait(timeout=30)
        working.discard(number)
        return number, torch.get_num_threads()

    found = map_in_threads(called, range(12), most)
    assert found == [(number, 1) for number in range(12)]
    assert max(counts) == at_once


@pytest.mark.parametrize("most", [1, 3])
def test_an_error_in_a_mapped_function_reaches_the_caller(most: int) -> None:
    def fails(number: int) -> int:
        if number == 2:
            raise ValueError(number)
        return number

    with pytest.raises(ValueError, match="2"):
        map_in_threads(fails, range(5), most)
