"""Runs that are killed with kill -9 at the worst moments, and begun again."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import denoise, read_image
from napari_inr_denoise.batch import file as one_file
from napari_inr_denoise.batch.checkpoint import partial_result
from napari_inr_denoise.batch.checkpoint.partial_result import PartialResult
from napari_inr_denoise.batch.checkpoint.raw_array import RawArray
from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.serial import run_jobs
from napari_inr_denoise.cli.main import main
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import DenoiseResult
from tests.conftest import TINY
from tests.forked import forking

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no kill -9 there")


def _die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _then_dies(function: Callable[..., Any]) -> Callable[..., None]:
    def both(*arguments: Any, **options: Any) -> None:
        function(*arguments, **options)
        _die()

    return both


def _not_noted() -> None:
    PartialResult.keep = _die


def _half_noted() -> None:
    partial_result.os.fsync = _then_dies(os.fsync)


def _noted() -> None:
    PartialResult.keep = _then_dies(PartialResult.keep)


def _half_written() -> None:
    write, read = one_file.write_image, RawArray.__getitem__
    reads: list[Any] = []

    def read_twice(self: RawArray, at: Any) -> Any:
        reads.append(at)
        return _die() if len(reads) == 3 else read(self, at)

    def write_half(*arguments: Any) -> None:
        RawArray.__getitem__ = read_twice
        write(*arguments)

    one_file.write_image = write_half


def _written() -> None:
    PartialResult.remove = _die


_MOMENTS = {
    "a plane is written but not noted": _not_noted,
    "the note is half written": _half_noted,
    "a plane is noted": _noted,
    "the result is half written": _half_written,
    "the result is written": _written,
}


def _run_until(moment: str, arguments: list[str]) -> None:
    """Run the command in a process that dies at a moment."""
    _MOMENTS[moment]()
    main(arguments)


STACK = np.random.default_rng(0).poisson(40, (4, 24, 24)).astype(np.uint16)


@pytest.fixture(scope="module")
def whole() -> DenoiseResult:
    """The result of a run that was not disturbed."""
    return denoise(STACK, axes="ZYX", settings=TINY)


@pytest.mark.parametrize("moment", _MOMENTS)
def test_kill_9_leaves_no_half_result_and_the_next_run_goes_on(
    tmp_path: Path, whole: DenoiseResult, moment: str
) -> None:
    source, out = tmp_path / "a.tif", tmp_path / "out"
    tifffile.imwrite(source, STACK, imagej=True, metadata={"axes": "ZYX"})
    (tmp_path / "settings.json").write_text(json.dumps(TINY.to_dict()))
    arguments = ["run", source, "--out", out, "--settings", tmp_path / "settings.json"]
    killed = forking().Process(
        target=_run_until, args=(moment, [str(one) for one in arguments])
    )
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    if moment == "the result is half written":
        assert [file.suffix for file in out.glob(".*")] == [".part"]
    (job,) = plan_jobs([str(source)], out)
    written = moment == "the result is written"
    assert job.output.exists() == written

    going_on = GeneratorResult(run_jobs([job], RunOptions(TINY)))
    seen = {one.step.plane.index["Z"] for one in going_on if one.step}
    lost = {"a plane is written but not noted", "the note is half written"}
    assert (0 in seen) == (moment in lost)
    (file,) = going_on.result.files
    assert file.status == ("skipped" if written else "done")
    assert np.array_equal(read_image(job.output).data, whole.image)
    planes = whole.report.files[0].planes
    assert [asdict(plane) for plane in file.planes] == [asdict(p) for p in planes]
    assert [one.name for one in out.iterdir()] == [job.output.name]
