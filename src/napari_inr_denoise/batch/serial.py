"""Denoise files one after the other; one that fails does not stop the others."""

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
    """A look at a file while it is denoised, or when it is finished.

    Attributes
    ----------
    number : int
        The file, counted from 0.
    jobs : sequence of Job
        All files of the run.
    progress : JobProgress or None
        How far it is while it is at work.
    step : DenoiseStep or None
        The denoiser's own step, where the file is at work in this process.
    done : JobReport or None
        What became of it, once that is known.
    """

    number: int
    jobs: Sequence[Job]
    progress: JobProgress | None = None
    step: DenoiseStep | None = None
    done: JobReport | None = None

    @property
    def job(self) -> Job:
        """The file."""
        return self.jobs[self.number]

    @property
    def count(self) -> int:
        """How many files there are."""
        return len(self.jobs)


BatchSteps = Generator[BatchStep, None, DenoiseReport]


def run_jobs(jobs: list[Job], options: RunOptions) -> BatchSteps:
    """Denoise files.

    Yields
    ------
    BatchStep
        At every look at a plane, and once for each file with its report.

    Returns
    -------
    DenoiseReport
        One entry a file. A caller that closes the generator early has the reports so
        far from the steps; the file at work is not written, its finished planes are
        kept.
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
