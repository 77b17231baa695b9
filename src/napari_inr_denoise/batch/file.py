"""Denoise one file: read, fit, write and report."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_inr_denoise.batch.checkpoint.cache_key import cache_key
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
    absent,
    failed,
    part_of_another,
)
from napari_inr_denoise.batch.report.thumbnails import AxesImage, Thumbnails, thumbnails
from napari_inr_denoise.core.candidates.volume_function import FittedVolume
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep, denoise_steps
from napari_inr_denoise.core.report.report import DenoiseReport, FileReport, PlaneReport
from napari_inr_denoise.image.conversion import ConvertedView
from napari_inr_denoise.io.formats import has_suffix, is_broken_link, is_zarr
from napari_inr_denoise.io.lazy.calibrated import CalibratedArray, stored_view
from napari_inr_denoise.io.ome_zarr.levels import Levels, count_levels, plan_levels
from napari_inr_denoise.io.provenance import read_provenance
from napari_inr_denoise.io.read import INCOMPLETE, read_image, with_named_axes
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.io.write import check_writable, write_image

_SOURCE = "source"
"""Key of the path from a result to its source, in its provenance."""
_CONTENT = "source_sha256"
JobSteps = Generator[DenoiseStep, None, JobReport]


def denoise_file(job: Job, options: RunOptions, run: str = "") -> JobSteps:
    """Read, denoise and write one file, unless it is done.

    Parameters
    ----------
    job : Job
        The file.
    options : RunOptions
        How to denoise.
    run : str
        Name of the run, see `FolderLock`.

    Yields
    ------
    DenoiseStep
        At every evaluation of a fit. Closing the generator keeps the finished planes
        and writes no output.

    Returns
    -------
    JobReport
        Any failure is reported, not raised.
    """
    if job.part_of is not None:
        return part_of_another(job, job.part_of)
    if job.image is not None and job.image.missing and not job.image.files:
        return absent(job, job.image, accepted=options.incomplete)
    started = time.monotonic()
    try:
        return (yield from _denoise_job(job, options, run))
    except Exception as error:  # noqa: BLE001 - other files go on
        return failed(job, cause_of(error), started)


def _denoise_job(job: Job, options: RunOptions, run: str) -> JobSteps:
    if is_broken_link(job.source):
        raise FileNotFoundError(
            f"{job.source} is a link to {job.source.readlink()}, which is not there. "
            "Put it there, or remove the link."
        )
    identity = _identity(job, options)
    record = read_source(job, options)
    incomplete = _incomplete_note(record)
    if incomplete is not None:
        identity |= {"incomplete": True}
    maps = {name: companion_path(job.output, name) for name in options.maps}
    outputs = (job.output, *maps.values())
    _check_names(outputs)
    previous = {} if options.overwrite else _done(job, outputs, identity, options)
    if previous:
        discard_leftovers(job.output)
        return _skipped(job, previous, record)
    if options.same_dtype:
        check_writable(job.output, record.data.dtype)  # before the fit, not after it
    job.output.parent.mkdir(parents=True, exist_ok=True)
    shape = tuple(record.data.shape)
    with PartialResult(job.output, identity, shape, run, options.maps) as kept:
        for path in outputs:
            discard_half_written(path)
        file, volumes = yield from _denoised(record, kept, options)
        file = replace(
            file,
            source=str(job.source),
            output=str(job.output),
            dtype=str(record.data.dtype),
            series=record.name if job.image is not None else None,
            incomplete=incomplete,
            notes=job.notes + file.notes,
        )
        provenance = {
            "identity": identity,
            "file": file.to_dict(),
            _SOURCE: _relative(job.source, job.output),
        }
        notes = record.notes + file.notes
        notes += _write_volumes(job, record, volumes, options, provenance)
        _write_maps(maps, record, kept, options, provenance)
        # Last: where the result exists, its companions exist.
        result = replace(record, data=kept.image)
        notes += _write_result(job, result, record, provenance, options.levels)
        shown = _thumbnails(record, result, file)
        kept.remove()
    return JobReport(file, notes, shown)


def _write_volumes(
    job: Job,
    record: ImageRecord,
    volumes: tuple[FittedVolume, ...],
    options: RunOptions,
    provenance: Mapping[str, Any],
) -> tuple[str, ...]:
    """Write the fitted functions on a finer grid, if wanted. Returns notes."""
    if not options.interpolation.wanted:
        return ()
    finer = companion_path(job.output, INTERPOLATED)
    return write_interpolated(
        finer, record, volumes, options.interpolation, provenance, options.levels
    )


def _write_maps(
    maps: Mapping[str, Path],
    record: ImageRecord,
    kept: PartialResult,
    options: RunOptions,
    provenance: Mapping[str, Any],
) -> None:
    for name, path in maps.items():
        # Ranges and calibration refer to the intensities of the image.
        values = replace(
            record, data=kept.maps[name], display_ranges=(), calibration=None
        )
        write_image(path, values, {**provenance, "map": name}, options.levels)


def _check_names(outputs: Sequence[Path]) -> None:
    """Raise OSError if a name is too long for its file system: before the fit."""
    for path in outputs:
        folder = next(each for each in path.absolute().parents if each.exists())
        with suppress(FileNotFoundError):
            (folder / path.name).lstat()


def _identity(job: Job, options: RunOptions) -> dict[str, Any]:
    """Return what a result is made from; options count only where they change it."""
    identity = cache_key(
        job.source,
        options.settings,
        options.axes,
        same_dtype=options.same_dtype,
        image=job.image,
    )
    if options.interpolation.wanted:
        identity |= {"interpolation": asdict(options.interpolation)}
    return identity


def _done(
    job: Job,
    outputs: Sequence[Path],
    identity: Mapping[str, Any],
    options: RunOptions,
) -> dict[str, Any]:
    """Return the provenance of the first output if all are done, or nothing.

    Levels that they lack are added.
    """
    previous = [_previous(path, job.source, identity) for path in outputs]
    if not all(previous):
        return {}
    for path in outputs:
        _add_levels(path, options.levels)
    return previous[0]


def _previous(path: Path, source: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Return the provenance of an output that is done and unchanged, or nothing.

    Raises
    ------
    FileExistsError
        If a file of this name was not written by this program, or is the result of
        another source.
    """
    if not path.exists():
        return {}
    found = read_provenance(path)
    if found is None:
        raise FileExistsError(
            f"{path} exists and was not written by this program. Choose another folder "
            "or use --overwrite."
        )
    before, wanted = found.get("identity", {}), _relative(source, path)
    if before == identity and "file" in found:
        return found
    stated = found.get(_SOURCE, wanted)
    # The same content is the same image, wherever it is now.
    if stated != wanted and before.get(_CONTENT) != identity[_CONTENT]:
        earlier = (path.parent.resolve() / stated).resolve()
        raise FileExistsError(
            f"{path} exists and is the result of another image, {earlier}. Choose "
            "another folder for the results or use --overwrite."
        )
    return {}


def _relative(source: Path, output: Path) -> str:
    """Return the path from a result to its source: both may move together."""
    try:
        path = Path(os.path.relpath(source.resolve(), output.parent.resolve()))
    except ValueError:  # on different drives
        path = source.resolve()
    return path.as_posix()


def _incomplete_note(record: ImageRecord) -> str | None:
    notes = (note for note in record.notes if note.startswith(INCOMPLETE))
    return None if record.missing is None else next(notes, INCOMPLETE)


def read_source(job: Job, options: RunOptions) -> ImageRecord:
    """Return the image of a job, read lazily, with the axes of the options."""
    record = read_image(
        job.source, lazy=True, series=job.image, incomplete=options.incomplete
    )
    return with_named_axes(record, options.axes)


def _add_levels(path: Path, levels: Levels) -> None:
    """Write a result again if it is an OME-Zarr with fewer levels than asked for."""
    if not is_zarr(path):
        return
    record = read_image(path, lazy=True)
    wanted = plan_levels(record.size_of("Y"), record.size_of("X"), levels)
    if count_levels(path) < len(wanted):
        write_image(path, record, read_provenance(path), levels)


def _write_result(
    job: Job,
    result: ImageRecord,
    source: ImageRecord,
    provenance: Mapping[str, Any],
    levels: Levels,
) -> tuple[str, ...]:
    """Write the result. Returns notes on values that lost, and levels not written."""
    notes: tuple[str, ...] = ()
    if levels != 1 and not has_suffix(job.output, (".zarr",)):
        notes = ("OME-TIFF is written without levels: only OME-Zarr has them.",)
    if not provenance["identity"]["same_dtype"]:
        uncalibrated = replace(result, calibration=None)
        write_image(job.output, uncalibrated, provenance, levels)
        return notes
    if result.calibration is None:
        image = ConvertedView(result.data, source.data.dtype)
        stored = replace(result, data=image)
    else:
        image = stored_view(result)
        values = CalibratedArray(image, result.calibration)
        stored = replace(result, data=values)
    write_image(job.output, stored, provenance, levels)
    return (*notes, *image.losses.notes(image.dtype))


def _denoised(
    record: ImageRecord, kept: PartialResult, options: RunOptions
) -> Generator[DenoiseStep, None, tuple[FileReport, tuple[FittedVolume, ...]]]:
    """Denoise the planes that are not finished; each is kept when it is finished."""
    if options.interpolation.wanted:  # the functions of finished volumes are not kept
        kept.finished = []
    steps = denoise_steps(
        record.measured,
        record.axes,
        options.settings,
        record.spatial_spacing_um(),
        out=kept.image,
        resume=_resumable(record, kept, options),
        map_outputs=kept.maps,
        previews=False,
    )
    run = GeneratorResult(steps)
    for step in run:
        finished = step.finished
        if len(finished) > len(kept.finished):
            kept.keep([plane.to_dict() for plane in finished])
        yield step
    (file,) = run.result.report.files
    return file, run.result.volumes


def _resumable(
    record: ImageRecord, kept: PartialResult, options: RunOptions
) -> DenoiseResult | None:
    """Return the finished planes of a run that was stopped, if any."""
    if not kept.finished:
        return None
    planes = tuple(PlaneReport.from_dict(plane) for plane in kept.finished)
    shape = tuple(record.data.shape)
    file = FileReport(None, shape=shape, axes=record.axes, planes=planes)
    report = DenoiseReport(version("napari-inr-denoise"), options.settings, (file,))
    return DenoiseResult(kept.image, report)


def _skipped(job: Job, previous: Mapping[str, Any], record: ImageRecord) -> JobReport:
    """Return the report of a file that was done before and is unchanged."""
    earlier = FileReport.from_dict(previous["file"])
    file = replace(
        earlier, source=str(job.source), output=str(job.output), status="skipped"
    )
    result = read_image(job.output, lazy=True)
    return JobReport(file, (), _thumbnails(record, result, file))


def _thumbnails(
    source: ImageRecord, result: ImageRecord, file: FileReport
) -> Thumbnails | None:
    noisy, denoised = (AxesImage(one.data, one.axes) for one in (source, result))
    try:
        return thumbnails(noisy, denoised, file)
    except Exception:  # noqa: BLE001 - a picture is optional
        return None
