"""Denoise files one after the other. A file that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from uuid import uuid4

from napari_inr_denoise.batch.file import denoise_file
from napari_inr_denoise.batch.jobs import Job
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.progress import JobProgress
from napari_inr_denoise.batch.report.job_report import JobReport
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import DenoiseStep
from napari_inr_denoise.core.report.report import DenoiseReport


@dataclass(frozen=True)
class BatchStep:
    """State of a file while it is denoised, or when it is finished.

    Attributes
    ----------
    number : int
        Number of the file, from 0.
    jobs : sequence of Job
        All jobs of the run.
    progress : JobProgress or None
        Progress while the file is denoised.
    step : DenoiseStep or None
        Step of the denoiser, if it runs in this process.
    done : JobReport or None
        Report, once the file is finished.
    """

    number: int
    jobs: Sequence[Job]
    progress: JobProgress | None = None
    step: DenoiseStep | None = None
    done: JobReport | None = None

    @property
    def job(self) -> Job:
        """The job of the file."""
        return self.jobs[self.number]

    @property
    def count(self) -> int:
        """Number of files in the run."""
        return len(self.jobs)


BatchSteps = Generator[BatchStep, None, DenoiseReport]


def run_jobs(jobs: list[Job], options: RunOptions) -> BatchSteps:
    """Denoise files one after the other in this process.

    Parameters
    ----------
    jobs : list of Job
        Files to denoise.
    options : RunOptions
        How to denoise.

    Yields
    ------
    BatchStep
        At every evaluation of a fit, and once for each file with its report.

    Returns
    -------
    DenoiseReport
        One entry per file. After the generator is closed early, the steps have given
        the reports of the finished files. The current file is not written; its
        finished planes are kept.
    """
    name, done = uuid4().hex, []
    for number, job in enumerate(jobs):
        base = BatchStep(number, jobs)
        work = GeneratorResult(denoise_file(job, options, name))
        for step in work:
            yield replace(base, progress=JobProgress.of(step), step=step)
        done.append(work.result.file)
        yield replace(base, done=work.result)
    return DenoiseReport(version("napari-inr-denoise"), options.settings, tuple(done))
