"""Planning of a run: which files are denoised, and where the results go."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_inr_denoise.batch.output_names import (
    is_result,
    output_name,
    with_source_suffix,
)
from napari_inr_denoise.io.entries import ImageEntry
from napari_inr_denoise.io.formats import (
    FILE_SUFFIXES,
    READABLE_SUFFIXES,
    has_suffix,
    is_broken_link,
    is_zarr,
    size_on_disk,
)
from napari_inr_denoise.io.image_set import images_by_file


@dataclass(frozen=True)
class Job:
    """One image to denoise. An OME-Zarr folder counts as a file.

    Attributes
    ----------
    source : Path
        Input.
    output : Path
        Denoised image.
    size : int
        Size of the image on the disk in bytes, with all of its files that were found.
    part_of : Path or None
        Source of the job that denoises the image which this file is a part of (see
        `io.image_set`). This job is then only reported as skipped.
    image : ImageEntry or None
        The image of the source; None for the main one.
    notes : tuple of str
        Sentences for the user on the plan.
    """

    source: Path
    output: Path
    size: int = 0
    part_of: Path | None = None
    image: ImageEntry | None = None
    notes: tuple[str, ...] = ()


def plan_jobs(inputs: Sequence[str], out: Path, series: str | None = None) -> list[Job]:
    """Return one job per image. Nothing is written.

    Parameters
    ----------
    inputs : sequence of str
        Files, folders and glob patterns. Folders are searched recursively, also
        through links, and `out` gets the same structure. A Zarr is one input. A result
        of an earlier run is an input only if it is named itself, and so is a file that
        is a part of another image (see `Job.part_of`), unless that is named too.
    out : Path
        Folder of the results.
    series : str or None
        Name or number of the image of each file, or "all". None: all images of the
        files in folders and of patterns, and the main image of a file that is named.

    Raises
    ------
    FileNotFoundError
        If an input matches no file.
    ValueError
        If two files of the same name would have the same output.
    """
    found: dict[tuple[Path, Path], Job] = {}
    for job in _all_jobs(inputs, out, series):
        name = job.output, _real(job.source)
        other = found.setdefault(name, job)
        if other.part_of is not None:  # named explicitly: an input of its own
            found[name] = job
    jobs = _with_different_outputs(list(found.values()))
    _check_outputs_differ(jobs)
    return jobs


def _with_different_outputs(jobs: list[Job]) -> list[Job]:
    """Return the jobs; those that would write the same file get different names."""
    # A part of another image has no result.
    counts = Counter(job.output for job in jobs if job.part_of is None)
    return [_renamed(job) if counts[job.output] > 1 else job for job in jobs]


def _renamed(job: Job) -> Job:
    note = (
        f"Another input would also give {job.output.name}: the name of this result "
        "keeps the ending of its source."
    )
    output = with_source_suffix(job.output, job.source)
    return replace(job, output=output, notes=(*job.notes, note))


def _check_outputs_differ(jobs: list[Job]) -> None:
    """Raise ValueError if two jobs would write the same file."""
    by_output: dict[Path, Job] = {}
    for job in jobs:
        if job.part_of is not None:  # has no result
            continue
        other = by_output.setdefault(job.output, job)
        if other is not job:
            raise ValueError(
                f"{other.source} and {job.source} would both be written to "
                f"{job.output}. Run one of them by its name, with another --out."
            )


def _all_jobs(inputs: Sequence[str], out: Path, series: str | None) -> Iterator[Job]:
    """Yield the jobs of each input; an image of several named files has one."""
    named = [path for path in map(Path, dict.fromkeys(inputs)) if _is_one(path)]
    among = list(_jobs_among(named, [out] * len(named), series))
    for text in inputs:
        # A path that exists is no pattern, even with brackets in it.
        if _is_one(Path(text)):
            yield from (job for job in among if job.source == Path(text))
        else:
            yield from _jobs_of(text, out, series)


def _is_one(path: Path) -> bool:
    return path.exists() and (is_zarr(path) or not path.is_dir())


def _jobs_of(text: str, out: Path, series: str | None) -> Iterator[Job]:
    """Yield the jobs of a folder or a pattern."""
    path = Path(text)
    if path.is_dir():
        # A folder of results inside the input folder is left out. Results beside their
        # inputs are recognized by their names.
        nested = not _is_below(path, out)
        found = [
            file
            for file in sorted(_images_below(path))
            if not (nested and _is_below(file, out))
        ]
        if not found:
            raise FileNotFoundError(
                f"{text}: the folder holds no file ending in one of "
                f"{', '.join(READABLE_SUFFIXES)}."
            )
        places = [out / file.parent.relative_to(path) for file in found]
        yield from _jobs_among(found, places, series or "all")
        return
    matches = glob.glob(text, recursive=True)  # noqa: PTH207 - Path.glob refuses absolute patterns
    files = [Path(name) for name in sorted(matches) if _is_image(Path(name))]
    if not files:
        raise FileNotFoundError(
            f"{text}: no such file or folder, and no image of that pattern."
        )
    yield from _jobs_among(files, [out] * len(files), series or "all")


def _jobs_among(
    files: list[Path], places: list[Path], series: str | None
) -> Iterator[Job]:
    """Yield a job for each image and each further file.

    Parameters
    ----------
    files, places : list of Path
        Files, and the folder of the results of each.
    series : str or None
        Name or number of an image, "all", or None for the main image of each file.
    """
    found = images_by_file(files, series)
    for file, place in zip(files, places, strict=True):
        images = found[file]
        if not images.entries:
            output = place / output_name(file)
            yield Job(file, output, size_on_disk(file), images.part_of)
        used: set[str] = set()
        for entry in images.entries:
            chosen = entry if entry.key else None
            output = place / output_name(file, chosen.name if chosen else "")
            if chosen and output.name.lower() in used:
                output = place / output_name(file, f"{chosen.name} {chosen.number}")
            used.add(output.name.lower())
            sharing = [other.files for other in images.entries].count(entry.files)
            size = sum(map(size_on_disk, entry.files)) // sharing
            yield Job(file, output, size, image=chosen)


def _images_below(folder: Path) -> Iterator[Path]:
    """Yield the images below a folder; the inside of a Zarr is not searched.

    Links lead to other folders, to each of them once.
    """
    searched: set[Path] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        here = Path(place)
        # What a link finds in the folder itself is searched where it is.
        inward = here.is_symlink() and here != folder and _is_below(here, folder)
        if inward or _real(here) in searched:
            folders.clear()
            continue
        searched.add(_real(here))
        zarrs = [name for name in folders if is_zarr(here / name)]
        folders[:] = sorted(set(folders) - set(zarrs))
        yield from (here / name for name in zarrs + names if _is_image(here / name))


def _is_image(file: Path) -> bool:
    """Return whether a path is an input image, by its name.

    A link to nothing counts, if it may be meant for an image or a folder of images.
    """
    return (
        (
            (has_suffix(file, FILE_SUFFIXES) and file.is_file())
            or is_zarr(file)
            or (is_broken_link(file) and _may_be_images(file))
        )
        and not file.name.startswith(".")
        and not is_result(file)
    )


def _may_be_images(file: Path) -> bool:
    return has_suffix(file, READABLE_SUFFIXES) or not file.suffix


def _is_below(file: Path, folder: Path) -> bool:
    return _real(file).is_relative_to(_real(folder))


def _real(path: Path) -> Path:
    """Return a path without links; `Path.resolve` raises an error for some links."""
    return Path(os.path.realpath(path))
