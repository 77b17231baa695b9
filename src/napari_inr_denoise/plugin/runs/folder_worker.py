"""The batch in a thread of its own: the same files, results and reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.runs.exclusive import running
from napari_inr_denoise.plugin.runs.worker import StoppableWorker

if TYPE_CHECKING:  # the modules behind it load torch
    from napari_inr_denoise.batch.serial import BatchStep
    from napari_inr_denoise.core.report.report import DenoiseReport


@dataclass(frozen=True)
class FolderRun:
    """What is denoised, and where the results go.

    Attributes
    ----------
    source, out : Path
        Folders; `source` is searched through, and mirrored in `out`.
    settings : DenoiseSettings
        How.
    same_dtype : bool
        Write the input's type, rounded and clipped, instead of float32.
    overwrite : bool
        Denoise again what is done, and replace files that were not written here.
    workers : int
        Files at once; more than one are done in processes of their own.
    """

    source: Path
    out: Path
    settings: DenoiseSettings
    same_dtype: bool = False
    overwrite: bool = False
    workers: int = 1


class FolderWorker(StoppableWorker):
    """Pulls the batch's steps; each one is emitted as `stepped`.

    The reports in the output folder are brought up to date on the way. Ends with
    `returned` (a DenoiseReport of the files that were finished or failed; None if
    there are none) or `errored`, and always with `finished`.

    Parameters
    ----------
    run : FolderRun
        What to do.

    Attributes
    ----------
    problem : str
        Why the report could not be written; empty if it was.
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
            for step in self._steps():
                self.stepped.emit(step)
                if step.done is not None:
                    reports.add(step.number, step.done)
        problem = reports.close()
        if problem:
            self.problem = f"The report could not be written: {problem}"
        return reports.report if reports.report.files else None

    def _steps(self) -> Iterator[BatchStep]:
        """Yield steps until the end or Stop; what is finished by then is kept."""
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
