"""Runs the batch over a folder in a thread, as `inr-denoise run` does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.runs.exclusive import running
from napari_inr_denoise.plugin.runs.worker import SHOW_EVERY_S, StoppableWorker

if TYPE_CHECKING:  # the modules behind it load torch
    from napari_inr_denoise.batch.serial import BatchStep
    from napari_inr_denoise.core.report.report import DenoiseReport


@dataclass(frozen=True)
class FolderRun:
    """The choices of a run over a folder.

    Attributes
    ----------
    source, out : Path
        Folders. All images in `source` are denoised; `out` has the same subfolders.
    settings : DenoiseSettings
        Settings of the run.
    same_dtype : bool
        Write the data type of the input, rounded and clipped, instead of float32.
    overwrite : bool
        Denoise finished files again, and replace files of other programs and results
        of other images.
    workers : int
        Number of files denoised at once; more than one run in processes of their own.
    """

    source: Path
    out: Path
    settings: DenoiseSettings
    same_dtype: bool = False
    overwrite: bool = False
    workers: int = 1


class FolderWorker(StoppableWorker):
    """Runs the batch; where it is is emitted as `stepped` several times a second.

    The first and the last step of a file are always emitted.

    The reports in the output folder are updated after each file. Ends with `returned`
    (a DenoiseReport of the files that were finished or failed; None if there are none)
    or `errored`, and always with `finished`.

    Parameters
    ----------
    run : FolderRun
        The choices of the run.

    Attributes
    ----------
    problem : str
        Why the report could not be written; empty if it was written.
    """

    def __init__(self, run: FolderRun) -> None:
        super().__init__()
        self._run = run
        self.problem = ""

    def work(self) -> DenoiseReport | None:
        """Run in the worker's thread."""
        from napari_inr_denoise.batch.report.writer import ReportWriter

        reports = ReportWriter(self._run.out, self._run.settings)
        with running(self._stop):
            number, show_at = -1, 0.0
            for step in self._steps():
                turns = step.done is not None or step.number != number
                if turns or time.monotonic() >= show_at:
                    self.stepped.emit(step)
                    number, show_at = step.number, time.monotonic() + SHOW_EVERY_S
                if step.done is not None:
                    reports.add(step.number, step.done)
        problem = reports.close()
        if problem:
            self.problem = f"The report could not be written: {problem}"
        return reports.report if reports.report.files else None

    def _steps(self) -> Iterator[BatchStep]:
        """Yield the steps until the end or until Stop; finished files are kept."""
        from napari_inr_denoise.batch.dispatch import steps_of_run
        from napari_inr_denoise.batch.jobs import plan_jobs
        from napari_inr_denoise.batch.options import RunOptions

        run = self._run
        options = RunOptions(
            run.settings, same_dtype=run.same_dtype, overwrite=run.overwrite
        )
        jobs = plan_jobs([str(run.source)], run.out)
        workers = run.workers if run.workers > 1 else None
        with steps_of_run(jobs, options, workers) as steps, closing(steps):
            for step in steps:
                yield step
                if self._stop.is_set():
                    return
