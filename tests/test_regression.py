"""The quick benchmark can fail."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.benchmarks import limits, regression
from tests.benchmarks.regression import compared, measured

RECORDED = {"ratios": {"a step": 1.0, "noise": 2.0}, "psnr": {"fast": 40.0}}


def test_as_fast_and_as_good_as_before_is_well() -> None:
    found = {"ratios": {"a step": 1.29, "noise": 0.5}, "psnr": {"fast": 39.95}}
    assert compared(RECORDED, found) == []


def test_what_is_slower_or_worse_is_named() -> None:
    found = {"ratios": {"a step": 0.9, "noise": 2.7}, "psnr": {"fast": 39.8}}
    slower, worse = compared(RECORDED, found)
    assert slower == "Slower: noise takes 1.35 of what it took."
    assert worse == "Worse: fast is 39.80 dB, it was 40.00."


def test_a_result_of_no_numbers_is_worse() -> None:
    found = {**RECORDED, "psnr": {"fast": float("nan")}}
    (worse,) = compared(RECORDED, found)
    assert worse.startswith("Worse")


def test_twice_the_work_takes_twice_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]

    def work(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(regression.time, "process_time", lambda: clock[0])
    monkeypatch.setattr(regression.Reference, "run", lambda _: work(3.0))
    ratios = measured({"once": lambda: work(3.0), "twice": lambda: work(6.0)})
    assert ratios == {"once": 1.0, "twice": 2.0}


def test_what_seems_slower_is_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = {"ratios": {"a step": 1.5, "noise": 2.0}, "psnr": {"fast": 40.0}}
    found = iter([slow, RECORDED, slow, slow])
    monkeypatch.setattr(regression, "_found", lambda: next(found))
    assert regression._failures(RECORDED) == []
    assert len(regression._failures(RECORDED)) == 1


def test_the_record_names_what_is_measured() -> None:
    sample = regression.field_of_cells(side=32)
    known = regression.json.loads(regression.BASELINE.read_text("utf-8"))
    names = set(regression.actions_on(regression.problem_of(sample.noisy)))
    for kind in known.values():
        assert set(kind["ratios"]) == names


def test_the_operations_of_a_step_are_counted(rng: np.random.Generator) -> None:
    """Also those that are done in threads of their own."""
    problem = limits.problem_of(rng.normal(100, 5, (96, 96)))
    cpu = torch.device("cpu")
    steps = list(limits.steps_of(problem, torch.float32, cpu))
    assert len(steps) == 6
    for name, step, _ in steps:
        assert limits.flops_of(step) > 1e6, name
