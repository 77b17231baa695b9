"""Denoise files one after the other; one that fails does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_inr_denoise.batch.converted import ConvertedView
from napari_inr_denoise.batch.jobs import Job
from napari_inr_denoise.batch.partial import PartialResult
from napari_inr_denoise.core.axes import resolve_axes
from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep, denoise_steps
from napari_inr_denoise.core.outcome import Outcome
from napari_inr_denoise.core.report import DenoiseReport, FileReport, PlaneReport
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.io.fingerprint import sha256_of
from napari_inr_denoise.io.provenance import read_provenance
from napari_inr_denoise.io.read import read_image
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.io.write import check_writable, write_image

_NAME = "napari-inr-denoise"


@dataclass(frozen=True)
class RunOptions:
    """What holds for all files of a run.

    Attributes
    ----------
    settings : DenoiseSettings
        How to denoise.
    axes : str or None
        Axes of every file; each file's own if None.
    same_dtype : bool
        Write the input's type, rounded and clipped, instead of float32.
    overwrite : bool
        Denoise again what is done, and replace files that were not written here.
    """

    settings: DenoiseSettings
    axes: str | None = None
    same_dtype: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class BatchStep:
    """A look at a file while it is denoised, or when it is finished.

    Attributes
    ----------
    number, count : int
        The file at work, counted from 0, and how many there are.
    job : Job
        The file.
    step : DenoiseStep or None
        The denoiser's own step while it works.
    report : DenoiseReport or None
        The run so far, once it is known what became of the file.
    notes : tuple of str
        What the user should know, in sentences.
    """

    number: int
    count: int
    job: Job
    step: DenoiseStep | None = None
    report: DenoiseReport | None = None
    notes: tuple[str, ...] = ()

    @property
    def file(self) -> FileReport | None:
        """What became of the file, once that is known."""
        return None if self.report is None else self.report.files[-1]


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
        One entry a file. A caller that closes the generator early has the run so far
        from the steps; the file at work is not written.
    """
    report = DenoiseReport(version(_NAME), options.settings)
    for number, job in enumerate(jobs):
        base = BatchStep(number, len(jobs), job)
        started = time.monotonic()
        notes: tuple[str, ...] = ()
        try:
            file, notes = yield from _run_job(base, options)
        except Exception as error:  # noqa: BLE001 - any failure is this file's alone
            file = _failed(job, error, time.monotonic() - started)
        report = replace(report, files=(*report.files, file))
        yield replace(base, report=report, notes=notes)
    return report


def _run_job(
    base: BatchStep, options: RunOptions
) -> Generator[BatchStep, None, tuple[FileReport, tuple[str, ...]]]:
    """Read, denoise and write one file, unless it is done."""
    job = base.job
    identity = _identity(job.source, options)
    if job.output.exists() and not options.overwrite:
        previous = read_provenance(job.output)
        if previous is None:
            raise FileExistsError(
                f"{job.output} exists and was not written by this program. Choose "
                "another folder or use --overwrite."
            )
        if previous.get("identity") == identity and "file" in previous:
            return _skipped(job, previous), ()
    record = read_image(job.source, lazy=True)
    if options.axes is not None:
        record = record.with_axes(resolve_axes(record.data.ndim, options.axes))
    if options.same_dtype:
        check_writable(job.output, record.data.dtype)  # before the fit, not after it
    job.output.parent.mkdir(parents=True, exist_ok=True)
    shape = tuple(record.data.shape)
    with PartialResult(job.output, identity, shape) as kept:
        file = yield from _denoised(record, kept, base, options)
        file = replace(file, source=str(job.source), output=str(job.output))
        notes = record.notes + file.notes
        image: Any = kept.image
        if options.same_dtype:
            image = ConvertedView(image, record.data.dtype)
        provenance = {"identity": identity, "file": file.to_dict()}
        write_image(job.output, replace(record, data=image), provenance)
        if isinstance(image, ConvertedView) and image.clipped:
            kind = record.data.dtype
            notes += (f"{image.clipped} pixels were clipped to fit {kind}.",)
        kept.remove()
    return file, notes


def _denoised(
    record: ImageRecord, kept: PartialResult, base: BatchStep, options: RunOptions
) -> Generator[BatchStep, None, FileReport]:
    """Denoise what an earlier run has left; each finished plane is kept at once."""
    steps = denoise_steps(
        record.data,
        record.axes,
        options.settings,
        record.spatial_spacing_um(),
        out=kept.image,
        resume=_earlier(record, kept, options),
    )
    run = Outcome(steps)
    for step in run:
        finished = step.finished
        if len(finished) > len(kept.finished):
            kept.keep([asdict(plane) for plane in finished])
        yield replace(base, step=step)
    (file,) = run.result.report.files
    return file


def _earlier(
    record: ImageRecord, kept: PartialResult, options: RunOptions
) -> DenoiseResult | None:
    """Return what a run that was stopped has left."""
    if not kept.finished:
        return None
    planes = tuple(PlaneReport.from_dict(plane) for plane in kept.finished)
    shape = tuple(record.data.shape)
    file = FileReport(None, shape=shape, axes=record.axes, planes=planes)
    report = DenoiseReport(version(_NAME), options.settings, (file,))
    return DenoiseResult(kept.image, report)


def _identity(source: Path, options: RunOptions) -> dict[str, Any]:
    """Return what must be unchanged for a file to count as done."""
    settings = options.settings.to_dict()
    del settings["device"]
    return {
        "version": version(_NAME),
        "source_sha256": sha256_of(source),
        "settings": settings,
        "axes": options.axes,
        "same_dtype": options.same_dtype,
    }


def _failed(job: Job, error: Exception, seconds: float) -> FileReport:
    message = str(error) or type(error).__name__
    return FileReport(
        str(job.source), status="failed", error=message, seconds=round(seconds, 3)
    )


def _skipped(job: Job, previous: Mapping[str, Any]) -> FileReport:
    """Return the earlier report of a file that is done and unchanged."""
    earlier = FileReport.from_dict(previous["file"])
    return replace(
        earlier, source=str(job.source), output=str(job.output), status="skipped"
    )
