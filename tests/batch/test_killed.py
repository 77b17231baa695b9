"""Runs that are killed with kill -9 at the worst moments, and begun again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_inr_denoise import DenoiseSettings, denoise, read_image
from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.serial import run_jobs
from napari_inr_denoise.core.compute.generators import GeneratorResult

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no kill -9 there")

_PROGRAM = """
import os, signal, sys
from pathlib import Path
from napari_inr_denoise.batch import file as one_file
from napari_inr_denoise.batch.checkpoint import partial_result as partial
from napari_inr_denoise.batch.checkpoint.raw_array import RawArray
from napari_inr_denoise.cli.main import main

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def then(function, second):
    def both(*arguments, **options):
        return function(*arguments, **options), second(*arguments)
    return both

{moment}
main(sys.argv[1:])
"""
_MOMENTS = {
    "a plane is written but not noted": "partial.PartialResult.keep = die",
    "the note is half written": "partial.os.fsync = then(partial.os.fsync, die)",
    "a plane is noted": """
partial.PartialResult.keep = then(partial.PartialResult.keep, die)""",
    "the result is half written": """
write, read, reads = one_file.write_image, RawArray.__getitem__, []
def read_once(self, at):
    reads.append(at)
    return die() if len(reads) == 3 else read(self, at)
def write_half(*arguments):
    RawArray.__getitem__ = read_once
    write(*arguments)
one_file.write_image = write_half""",
    "the result is written": "partial.PartialResult.remove = die",
}


@pytest.mark.parametrize("moment", _MOMENTS)
def test_kill_9_leaves_no_half_result_and_the_next_run_goes_on(
    tmp_path: Path, tiny: DenoiseSettings, rng: np.random.Generator, moment: str
) -> None:
    source, out = tmp_path / "a.tif", tmp_path / "out"
    stack = rng.poisson(40, (4, 24, 24)).astype(np.uint16)
    tifffile.imwrite(source, stack, imagej=True, metadata={"axes": "ZYX"})
    (tmp_path / "settings.json").write_text(json.dumps(tiny.to_dict()))
    program = _PROGRAM.format(moment=_MOMENTS[moment])
    arguments = ["run", source, "--out", out, "--settings", tmp_path / "settings.json"]
    command = [sys.executable, "-c", program, *map(str, arguments)]
    killed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    if moment == "the result is half written":
        assert [file.suffix for file in out.glob(".*")] == [".part"]
    (job,) = plan_jobs([str(source)], out)
    written = moment == "the result is written"
    assert job.output.exists() == written

    going_on = GeneratorResult(run_jobs([job], RunOptions(tiny)))
    seen = {one.step.plane.index["Z"] for one in going_on if one.step}
    lost = {"a plane is written but not noted", "the note is half written"}
    assert (0 in seen) == (moment in lost)
    (file,) = going_on.result.files
    assert file.status == ("skipped" if written else "done")
    whole = denoise(stack, axes="ZYX", settings=tiny)
    assert np.array_equal(read_image(job.output).data, whole.image)
    planes = whole.report.files[0].planes
    assert [asdict(plane) for plane in file.planes] == [asdict(p) for p in planes]
    assert [one.name for one in out.iterdir()] == [job.output.name]
