from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, nullcontext

import numpy as np
import pytest
import torch

from napari_inr_denoise.core.compute import concurrency
from napari_inr_denoise.core.compute.concurrency import (
    fit_concurrently,
    map_ordered,
    runs_in_threads,
)
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import denoise
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from tests.core.torch_threads import four_threads

CPU = torch.device("cpu")
Fit = Generator[str, None, str]


_threads = pytest.fixture(autouse=True)(four_threads)


def _fit(name: str, steps: int, seconds: float = 0.0) -> Fit:
    for number in range(steps):
        time.sleep(seconds)
        yield f"{name}{number}"
    return name.upper()


def _heard(
    run: GeneratorResult[tuple[int, str], list[str]], fits: int
) -> list[list[str]]:
    said: list[list[str]] = [[] for _ in range(fits)]
    for number, step in run:
        said[number].append(step)
    return said


@pytest.mark.parametrize("way", ["threads", "turns", "one by one"])
def test_every_step_is_heard_in_its_order_and_results_in_theirs(
    way: str,
) -> None:
    fits = [_fit("a", 3, 0.01), _fit("b", 5), _fit("c", 0)]
    if way == "turns":
        run = GeneratorResult(concurrency._in_turns(fits, [nullcontext] * 3, CPU))
    else:
        torch.set_num_threads(4 if way == "threads" else 1)
        run = GeneratorResult(fit_concurrently(fits, CPU))
    assert _heard(run, 3) == [
        ["a0", "a1", "a2"],
        ["b0", "b1", "b2", "b3", "b4"],
        [],
    ]
    assert run.result == ["A", "B", "C"]
    torch.set_num_threads(4)


def test_in_turns_a_step_of_each_comes_after_the_other() -> None:
    fits = [_fit("a", 3), _fit("b", 2)]
    steps = [
        step for _, step in concurrency._in_turns(fits, [nullcontext, nullcontext], CPU)
    ]
    assert steps == ["a0", "b0", "a1", "b1", "a2"]


def test_streams_wait_for_what_is_given_and_the_caller_for_what_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []

    class Stream:
        def __init__(self, _: torch.device, name: str = "") -> None:
            self.name = name or f"stream {sum('begins' in one for one in said)}"
            said.append(f"{self.name} begins")

        def wait_stream(self, other: Stream) -> None:
            said.append(f"{self.name} waits for {other.name}")

    def fit(name: str) -> Fit:
        said.append(f"{name} at work")
        yield name
        return name

    cuda = torch.device("cuda")
    monkeypatch.setattr(concurrency, "synchronize", lambda _: None)
    monkeypatch.setattr(torch.cuda, "Stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda _: nullcontext())
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: Stream(cuda, "caller"))
    for _ in (run := GeneratorResult(fit_concurrently([fit("a"), fit("b")], cuda))):
        pass
    assert run.result == ["a", "b"]
    assert said == [
        "caller begins",
        "stream 1 begins",
        "stream 2 begins",
        "stream 1 waits for caller",
        "stream 2 waits for caller",
        "a at work",
        "b at work",
        "caller waits for stream 1",
        "caller waits for stream 2",
    ]


def test_threads_are_shared_out_and_the_last_has_them_all() -> None:
    shares: dict[str, list[int]] = {"short": [], "long": []}
    over = threading.Event()

    def noting(name: str, steps: int) -> Fit:
        for _ in range(steps):
            shares[name].append(torch.get_num_threads())
            yield name
        if name == "short":
            over.set()
        else:
            over.wait(10)
            time.sleep(0.2)
            yield name
            shares[name].append(torch.get_num_threads())
        return name

    for _ in fit_concurrently([noting("short", 2), noting("long", 2)], CPU):
        pass
    assert shares["short"] == [2, 2]
    assert (shares["long"][0], shares["long"][-1]) == (2, 4)


def _failing() -> Fit:
    yield "fine"
    time.sleep(0.1)  # the others have begun by then
    raise MemoryError("no more")


def _long(name: str, closed: list[str]) -> Fit:
    try:
        for _ in range(500):
            time.sleep(0.01)
            yield name
    finally:
        closed.append(name)
    return name


def _in_turns(fits: list[Fit]) -> concurrency.Steps[str, str]:
    return concurrency._in_turns(fits, [nullcontext] * len(fits), CPU)


@pytest.mark.parametrize("way", [concurrency._in_threads, _in_turns])
def test_an_error_of_one_gives_the_others_up(
    way: Callable[[list[Fit]], concurrency.Steps[str, str]],
) -> None:
    closed: list[str] = []
    with pytest.raises(MemoryError, match="no more"):
        list(way([_long("a", closed), _failing(), _long("b", closed)]))
    assert sorted(closed) == ["a", "b"]


@pytest.mark.parametrize("way", [concurrency._in_threads, _in_turns])
def test_a_stop_gives_all_up(
    way: Callable[[list[Fit]], concurrency.Steps[str, str]],
) -> None:
    closed: list[str] = []
    run = way([_long("a", closed), _long("b", closed)])
    assert {next(run)[0] for _ in range(6)} == {0, 1}
    started = time.monotonic()
    run.close()
    assert time.monotonic() - started < 1.0
    assert sorted(closed) == ["a", "b"]


def test_a_job_that_is_slow_to_stop_takes_no_threads_with_it() -> None:
    def deaf() -> Fit:
        yield "a"
        time.sleep(0.8)  # longer than a stop waits for it
        torch.set_num_threads(2)
        yield "a"
        return "a"

    run = fit_concurrently([deaf(), _fit("b", 100, 0.01)], CPU)
    next(run)
    run.close()
    time.sleep(0.6)  # now look at new threads, in the fixture


def test_a_fit_of_fits_that_is_slow_to_stop_takes_no_threads_with_it() -> None:
    begun = threading.Event()

    def deaf() -> Fit:
        yield "a"
        begun.set()
        time.sleep(1.6)  # longer than both stops wait for it
        yield "a"
        return "a"

    def pair() -> Fit:
        assert torch.get_num_threads() == 2
        for _, said in (
            run := GeneratorResult(fit_concurrently([deaf(), deaf()], CPU))
        ):
            yield said
        return run.result[0]

    run = fit_concurrently([pair(), pair()], CPU)
    next(run)
    begun.wait(10)
    run.close()
    time.sleep(2.0)  # now look at new threads, in the fixture


def test_nobody_works_on_who_is_not_asked_for_more() -> None:
    made: list[int] = []

    def quick() -> Fit:
        for number in range(1000):
            made.append(number)
            yield ""
        return ""

    run = fit_concurrently([quick(), _fit("b", 1)], CPU)
    next(run)
    time.sleep(0.3)
    assert len(made) <= concurrency._MAX_QUEUED_STEPS + 3
    assert len(list(run)) == 1000
    assert len(made) == 1000


def test_a_program_ends_though_a_generator_is_open() -> None:
    program = """
import time, torch
from napari_inr_denoise.core.compute.concurrency import fit_concurrently
def fit():
    for _ in range(6000):
        time.sleep(0.01)
        yield 1
torch.set_num_threads(2)
run = fit_concurrently([fit(), fit()], torch.device("cpu"))
next(run)
print("left open")
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=45,
        check=True,
    )
    assert ended.stdout == "left open\n"


def test_one_thread_or_one_fit_needs_no_workers() -> None:
    assert runs_in_threads(2, CPU)
    assert not runs_in_threads(1, CPU)
    assert not runs_in_threads(2, torch.device("mps"))
    torch.set_num_threads(1)
    assert not runs_in_threads(2, CPU)
    torch.set_num_threads(4)


def _small() -> DenoiseSettings:
    return preset_settings(
        "auto",
        device="cpu",
        window_steps=12,
        window_width=16,
        window_radius=3,
        attention_steps=8,
        attention_width=8,
        n_augmentations=2,
    )


@pytest.mark.parametrize("planes", [1, 4])
def test_the_bytes_are_those_of_one_after_the_other(
    planes: int, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    y, x = np.mgrid[:48, :56]
    noisy = 60 + 30 * np.sin(x / 6) * np.cos(y / 9) + rng.normal(0, 6, (planes, 48, 56))
    found = [denoise(noisy, "ZYX", settings=_small())]
    monkeypatch.setattr(concurrency, "_in_threads", concurrency._one_by_one)
    found.append(denoise(noisy, "ZYX", settings=_small()))

    monkeypatch.setattr(concurrency, "_in_threads", _in_turns)
    found.append(denoise(noisy, "ZYX", settings=_small()))
    assert len({one.image.tobytes() for one in found}) == 1
    assert len({one.uncertainty.tobytes() for one in found}) == 1
    assert found[0].report.files[0].planes[0].shared == (planes > 1)


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
