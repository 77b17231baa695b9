from __future__ import annotations

from collections.abc import Generator

import pytest

from napari_inr_denoise.core.compute.generators import GeneratorResult


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
