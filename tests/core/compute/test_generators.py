from __future__ import annotations

import threading
import time
from collections.abc import Generator

import pytest

from napari_inr_denoise.core.compute.generators import GeneratorResult, run_in_thread


def _count(closed: list[bool]) -> Generator[int, None, str]:
    try:
        yield 1
        yield 2
    finally:
        closed.append(True)
    return "done"


def test_the_result_is_there_after_the_steps() -> None:
    run = GeneratorResult(_count([]))
    assert list(run) == [1, 2]
    assert run.result == "done"


def test_leaving_early_closes_the_generator_and_gives_no_result() -> None:
    closed: list[bool] = []
    run = GeneratorResult(_count(closed))
    steps = iter(run)
    assert next(steps) == 1
    del steps
    assert closed == [True]
    with pytest.raises(AttributeError):
        run.result  # noqa: B018


def test_it_comes_back_until_the_work_is_done() -> None:
    done = threading.Event()

    def work() -> int:
        done.wait(10)
        return 7

    updates = 0
    for _ in (run := GeneratorResult(run_in_thread(work))):
        updates += 1
        if updates == 2:
            done.set()
    assert updates >= 2
    assert run.result == 7


def test_what_the_work_raises_is_raised() -> None:
    def work() -> None:
        raise ValueError("no plane")

    with pytest.raises(ValueError, match="no plane"):
        list(run_in_thread(work))


def test_closing_does_not_wait_for_the_work() -> None:
    done = threading.Event()
    steps = run_in_thread(lambda: done.wait(10))
    next(steps)
    started = time.monotonic()
    steps.close()
    assert time.monotonic() - started < 1
    done.set()
