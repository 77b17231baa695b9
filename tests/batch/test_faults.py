"""Disks, devices, rights and clocks that fail while files are denoised.

Each ends in a sentence in the report; the other files go on, nothing is half there
under its name, and the next run does what is left.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tifffile
import torch

from napari_inr_denoise import DenoiseSettings, denoise
from napari_inr_denoise.batch.checkpoint import folder_lock as lock_module
from napari_inr_denoise.batch.checkpoint import partial_result as partial
from napari_inr_denoise.batch.checkpoint.raw_array import RawArray
from napari_inr_denoise.batch.jobs import Job, plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.report.causes import cause_of
from napari_inr_denoise.batch.serial import run_jobs
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.pipeline import plan as plan_module
from napari_inr_denoise.core.pipeline.plan import Plan
from napari_inr_denoise.core.pipeline.strategies import (
    independent_tiles as fit_independently,
)
from napari_inr_denoise.core.report.report import FileReport

FULL = OSError(errno.ENOSPC, "No space left on device")
LOST = RuntimeError("CUDA error: unspecified launch failure\nCompile with DSA.")
FaultOf = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture
def jobs(tmp_path: Path, rng: np.random.Generator) -> list[Job]:
    """Two small stacks."""
    for name in "ab":
        stack = rng.poisson(40, (2, 24, 24)).astype(np.uint16)
        tifffile.imwrite(tmp_path / f"{name}.tif", stack, photometric="minisblack")
    return plan_jobs([str(tmp_path)], tmp_path / "out")


def _run(jobs: list[Job], settings: DenoiseSettings) -> tuple[FileReport, ...]:
    run = GeneratorResult(run_jobs(jobs, RunOptions(settings)))
    for _ in run:
        pass
    return run.result.files


def _names(jobs: list[Job]) -> set[str]:
    return {file.name for file in jobs[0].output.parent.iterdir()}


class _Once:
    """A stand-in that fails the first time and then does what it stands for."""

    def __init__(self, real: Callable[..., Any], error: Exception) -> None:
        self._real, self._error, self._calls = real, error, 0

    def __get__(self, owner: object, kind: type) -> Callable[..., Any]:
        return lambda *arguments, **options: self(owner, *arguments, **options)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        self._calls += 1
        if self._calls == 1:
            raise self._error
        return self._real(*arguments, **options)


class _FullFile:
    """A file on a full disk: neither writing nor closing it goes well."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, _: object) -> None:
        raise FULL

    def close(self) -> None:
        self._file.close()
        raise FULL


def _pixels(patch: pytest.MonkeyPatch) -> None:
    real = RawArray.__init__

    def made(self: RawArray, path: Path, *arguments: Any, **options: Any) -> None:
        real(self, path, *arguments, **options)
        if path.parent.name.startswith("a."):
            self._file = _FullFile(self._file)

    patch.setattr(RawArray, "__init__", made)


def _room_for_pixels(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RawArray, "__init__", _Once(RawArray.__init__, FULL))


def _note(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(partial.json, "dump", _Once(partial.json.dump, FULL))


def _result(patch: pytest.MonkeyPatch) -> None:
    write = tifffile.TiffWriter.write
    patch.setattr(tifffile.TiffWriter, "write", _Once(write, FULL))


def _lock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lock_module.os, "fdopen", _Once(os.fdopen, FULL))


@pytest.mark.parametrize(
    "fault",
    [_pixels, _room_for_pixels, _note, _result, _lock],
    ids=["pixels", "room for pixels", "note of a plane", "result", "lock"],
)
def test_a_full_disk_costs_one_file_and_leaves_nothing_half(
    jobs: list[Job], tiny: DenoiseSettings, fault: FaultOf
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        fault(patch)
        first, second = _run(jobs, tiny)
    assert first.status == "failed"
    assert "the disk is full" in str(first.error)
    assert str(first.error).endswith(".")
    assert second.status == "done"
    left = _names(jobs) - {jobs[1].output.name}
    # The finished planes may be kept for the next run, never a half result.
    assert left <= {f"{jobs[0].output.name}.partial"}
    assert [file.status for file in _run(jobs, tiny)] == ["done", "skipped"]
    assert _names(jobs) == {job.output.name for job in jobs}


def test_a_file_that_is_gone_since_it_was_planned_is_said(
    jobs: list[Job], tiny: DenoiseSettings
) -> None:
    jobs[0].source.unlink()
    first, second = _run(jobs, tiny)
    assert "it is gone" in str(first.error)
    assert str(jobs[0].source) in str(first.error)
    assert (first.status, second.status) == ("failed", "done")


def test_a_link_to_nothing_is_said(
    jobs: list[Job], tiny: DenoiseSettings, tmp_path: Path
) -> None:
    link = tmp_path / "link.tif"
    link.symlink_to("elsewhere.tif")
    (job,) = plan_jobs([str(link)], tmp_path / "out")
    (first, second) = _run([job, jobs[1]], tiny)
    assert "link to elsewhere.tif, which is not there" in str(first.error)
    assert (first.status, second.status) == ("failed", "done")


@pytest.mark.parametrize("kind", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_right_that_is_missing_is_said(
    jobs: list[Job],
    tiny: DenoiseSettings,
    monkeypatch: pytest.MonkeyPatch,
    kind: int,
) -> None:
    """Injected, for an administrator has all rights."""
    error = OSError(kind, os.strerror(kind), str(jobs[0].output))
    monkeypatch.setattr(Path, "mkdir", _Once(Path.mkdir, error))
    first, second = _run(jobs, tiny)
    assert "permission denied" in str(first.error)
    assert jobs[0].output.name in str(first.error)
    assert (first.status, second.status) == ("failed", "done")


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0,
    reason="an administrator may write everywhere",
)
def test_a_folder_without_the_right_to_write_is_said(
    jobs: list[Job], tiny: DenoiseSettings
) -> None:
    out = jobs[0].output.parent
    out.mkdir()
    out.chmod(0o500)
    assert all("permission denied" in str(one.error) for one in _run(jobs, tiny))
    out.chmod(0o700)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "Memory ran out"),
        (RuntimeError("DefaultCPUAllocator: not enough memory"), "not enough memory"),
        (LOST, "CUDA error: unspecified launch failure"),
        (KeyError("x"), "It failed with KeyError"),
        (OSError(errno.EIO, "Input/output error"), "the system refused"),
        (OSError("cut short"), "It failed with OSError: cut short."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_fails_ends_in_a_sentence_of_that_file(
    jobs: list[Job],
    tiny: DenoiseSettings,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    words: str,
) -> None:
    def fail(*_: object) -> Iterator[None]:
        raise error
        yield

    real, calls = fit_independently.steps_in_white_noise, []

    def steps(problem: Any, settings: Any, device: Any, **others: Any) -> Iterator[Any]:
        calls.append(1)
        # Out of memory is tried once more with less: fail both times.
        if len(calls) <= tries:
            return fail()
        return real(problem, settings, device, **others)

    tries = 2 if "emory" in words else 1
    monkeypatch.setattr(fit_independently, "steps_in_white_noise", steps)
    first, second = _run(jobs, tiny)
    assert (first.status, second.status) == ("failed", "done")
    assert words in str(first.error)
    assert str(first.error).endswith(".")
    assert "\n" not in str(first.error)
    assert _names(jobs) == {jobs[1].output.name}


def test_a_gpu_that_is_lost_gives_way_to_the_cpu(
    tiny: DenoiseSettings, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    """The second plane is begun again on the CPU, the first one stays."""
    seen: list[tuple[str, bytes]] = []
    real = fit_independently.steps_in_white_noise

    def steps(
        problem: Any, settings: Any, device: torch.device, **others: Any
    ) -> Iterator[Any]:
        seen.append((device.type, problem.plane_yxs.tobytes()))
        if len(seen) == 2:
            raise LOST
        return (yield from real(problem, settings, torch.device("cpu"), **others))

    monkeypatch.setattr(fit_independently, "steps_in_white_noise", steps)
    has = SimpleNamespace(total_memory=8 * 10**9)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: has)
    monkeypatch.setattr(plan_module, "pick_device", lambda _: torch.device("cuda"))
    monkeypatch.setattr(Plan, "concurrent_fits", lambda *_: 1)
    result = denoise(rng.normal(50, 5, (3, 24, 24)), settings=tiny)
    assert [kind for kind, _ in seen] == ["cuda", "cuda", "cpu", "cpu"]
    assert len({plane for _, plane in seen}) == 3
    (file,) = result.report.files
    assert "The GPU was lost (CUDA error: unspecified launch failure)" in file.notes[0]
    assert len(file.planes) == 3
    assert file.device.startswith("CPU")


@pytest.mark.parametrize("away_s", [-1e6, 1e6])
def test_a_clock_that_is_set_neither_frees_nor_keeps_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, away_s: float
) -> None:
    """A file's age is told by the clock that stamped it, not by this machine's."""
    path = tmp_path / "lock"
    path.write_text('{"host": "node7", "process": 1, "run": "other"}')
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(lock_module.time, "time", lambda: now + away_s)
        with pytest.raises(FileExistsError, match="on node7"):
            lock_module.FolderLock(path, "mine")
    # Touched by a clock that was set back since then, and not again.
    os.utime(path, (now + 1e6, now + 1e6))
    lock_module.FolderLock(path, "mine").release()
    assert list(tmp_path.iterdir()) == []


def test_a_clock_that_is_set_does_not_make_times_negative(
    jobs: list[Job], tiny: DenoiseSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    wall = iter(range(10**9, 0, -1000))
    monkeypatch.setattr(time, "time", lambda: float(next(wall)))
    files = _run(jobs, tiny)
    assert [file.status for file in files] == ["done", "done"]
    assert all(0 <= file.seconds < 600 for file in files)


def test_a_sentence_stays_as_it_is() -> None:
    assert cause_of(ValueError("a.tif: got no pixels.")) == "a.tif: got no pixels."
