"""One file, wherever it is done: read, fit, write, and say what became of it."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_inr_denoise.batch.checkpoint.cache_key import identity_of
from napari_inr_denoise.batch.checkpoint.partial_result import (
    PartialResult,
    discard_half_written,
    discard_leftovers,
)
from napari_inr_denoise.batch.interpolation import write_interpolated
from napari_inr_denoise.batch.jobs import Job
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.output_names import INTERPOLATED, companion_path
from napari_inr_denoise.batch.report.causes import cause_of
from napari_inr_denoise.batch.report.job_report import (
    JobReport,
    failed,
    part_of_another,
)
from napari_inr_denoise.batch.report.thumbnails import Shown, Thumbnails, thumbnails
from napari_inr_denoise.core.candidates.volume_function import FittedVolume
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep, denoise_steps
from napari_inr_denoise.core.report.report import DenoiseReport, FileReport, PlaneReport
from napari_inr_denoise.image.axes import resolve_axes
from napari_inr_denoise.image.conversion import ConvertedView
from napari_inr_denoise.io.provenance import read_provenance
from napari_inr_denoise.io.read import read_image
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.io.write import check_writable, write_image

JobSteps = Generator[DenoiseStep, None, JobReport]


def denoise_file(job: Job, options: RunOptions, run: str = "") -> JobSteps:
    """Read, denoise and write one file, unless it is done.

    Parameters
    ----------
    job : Job
        The file.
    options : RunOptions
        How.
    run : str
        Name of the run, see `FolderLock`.

    Yields
    ------
    DenoiseStep
        At every look at a plane. A caller that closes the generator leaves what is
        finished, and no output.

    Returns
    -------
    JobReport
        A failure, whatever it is, is a report too.
    """
    if job.part_of is not None:
        return part_of_another(job, job.part_of)
    started = time.monotonic()
    try:
        return (yield from _steps(job, options, run))
    except Exception as error:  # noqa: BLE001 - any failure is this file's alone
        return failed(job, cause_of(error), started)


def _steps(job: Job, options: RunOptions, run: str) -> JobSteps:
    identity = identity_of(
        job.source, options.settings, options.axes, same_dtype=options.same_dtype
    )
    if options.interpolation.wanted:
        identity |= {"interpolation": asdict(options.interpolation)}
    maps = {name: companion_path(job.output, name) for name in options.maps}
    outputs = (job.output, *maps.values())
    if not options.overwrite:
        previous = [_previous(path, identity) for path in outputs]
        if all(previous):
            discard_leftovers(job.output)
            return _skipped(job, previous[0], options)
    record = read_source(job, options)
    if options.same_dtype:
        check_writable(job.output, record.data.dtype)  # before the fit, not after it
    job.output.parent.mkdir(parents=True, exist_ok=True)
    shape = tuple(record.data.shape)
    with PartialResult(job.output, identity, shape, run, options.maps) as kept:
        for path in outputs:
            discard_half_written(path)
        file, volumes = yield from _denoised(record, kept, options)
        file = replace(file, source=str(job.source), output=str(job.output))
        provenance = {"identity": identity, "file": file.to_dict()}
        notes = record.notes + file.notes
        if options.interpolation.wanted:
            finer = companion_path(job.output, INTERPOLATED)
            notes += write_interpolated(
                finer, record, volumes, options.interpolation, provenance
            )
        for name, path in maps.items():
            # Display ranges are of the image's intensities.
            values = replace(record, data=kept.maps[name], display_ranges=())
            write_image(path, values, {**provenance, "map": name})
        # The result comes last: where it is, all that belongs to it is there.
        notes += _write(job, replace(record, data=kept.image), record, provenance)
        shown = _thumbnails(record, replace(record, data=kept.image), file)
        kept.remove()
    return JobReport(file, notes, shown)


def _previous(path: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the provenance of an output that is done and unchanged, or nothing.

    Raises
    ------
    FileExistsError
        If a file of this name was not written by this program.
    """
    if not path.exists():
        return {}
    found = read_provenance(path)
    if found is None:
        raise FileExistsError(
            f"{path} exists and was not written by this program. Choose another folder "
            "or use --overwrite."
        )
    return found if found.get("identity") == identity and "file" in found else {}


def read_source(job: Job, options: RunOptions) -> ImageRecord:
    """Return a job's image, its values left in the file, under the axes asked for."""
    record = read_image(job.source, lazy=True)
    if options.axes is None:
        return record
    return record.with_axes(resolve_axes(record.data.ndim, options.axes))


def _write(
    job: Job, result: ImageRecord, source: ImageRecord, provenance: Mapping[str, Any]
) -> tuple[str, ...]:
    """Write the result, and tell how many pixels did not fit its type."""
    if not provenance["identity"]["same_dtype"]:
        write_image(job.output, result, provenance)
        return ()
    kind = source.data.dtype
    image = ConvertedView(result.data, kind)
    write_image(job.output, replace(result, data=image), provenance)
    if not image.clipped:
        return ()
    return (f"{image.clipped} pixels were clipped to fit {kind}.",)


def _denoised(
    record: ImageRecord, kept: PartialResult, options: RunOptions
) -> Generator[DenoiseStep, None, tuple[FileReport, tuple[FittedVolume, ...]]]:
    """Denoise what an earlier run has left; each finished plane is kept at once."""
    if options.interpolation.wanted:  # of what is finished the function is not kept
        kept.finished = []
    steps = denoise_steps(
        record.data,
        record.axes,
        options.settings,
        record.spatial_spacing_um(),
        out=kept.image,
        resume=_earlier(record, kept, options),
        map_outputs=kept.maps,
    )
    run = GeneratorResult(steps)
    for step in run:
        finished = step.finished
        if len(finished) > len(kept.finished):
            kept.keep([asdict(plane) for plane in finished])
        yield step
    (file,) = run.result.report.files
    return file, run.result.volumes


def _earlier(
    record: ImageRecord, kept: PartialResult, options: RunOptions
) -> DenoiseResult | None:
    """Return what a run that was stopped has left."""
    if not kept.finished:
        return None
    planes = tuple(PlaneReport.from_dict(plane) for plane in kept.finished)
    shape = tuple(record.data.shape)
    file = FileReport(None, shape=shape, axes=record.axes, planes=planes)
    report = DenoiseReport(version("napari-inr-denoise"), options.settings, (file,))
    return DenoiseResult(kept.image, report)


def _skipped(job: Job, previous: Mapping[str, Any], options: RunOptions) -> JobReport:
    """Return the earlier report of a file that is done and unchanged."""
    earlier = FileReport.from_dict(previous["file"])
    file = replace(
        earlier, source=str(job.source), output=str(job.output), status="skipped"
    )
    result = read_image(job.output, lazy=True)
    return JobReport(file, (), _thumbnails(read_source(job, options), result, file))


def _thumbnails(
    source: ImageRecord, result: ImageRecord, file: FileReport
) -> Thumbnails | None:
    noisy, denoised = (Shown(one.data, one.axes) for one in (source, result))
    try:
        return thumbnails(noisy, denoised, file)
    except Exception:  # noqa: BLE001 - a result counts, with a picture or without
        return None
