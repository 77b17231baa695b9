"""Fits that go on at the same time: their steps, their threads and their end."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import nullcontext

import numpy as np
import pytest
import torch

from napari_inr_denoise.core.compute import concurrency
from napari_inr_denoise.core.compute.concurrency import (
    fit_concurrently,
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
