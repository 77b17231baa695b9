"""Which files are denoised and where the results go: planning, nothing is written."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_inr_denoise.io.formats import (
    COMPANION_SUFFIXES,
    FILE_SUFFIXES,
    READABLE_SUFFIXES,
    has_suffix,
    is_zarr,
    size_on_disk,
)
from napari_inr_denoise.io.image_set import secondary_files

OUTPUT_SUFFIX = ".inr.ome.tif"
ZARR_OUTPUT_SUFFIX = ".inr.ome.zarr"
_DOUBLE_SUFFIXES = (".ome.tif", ".ome.tiff", ".ome.zarr", *COMPANION_SUFFIXES)


@dataclass(frozen=True)
class Job:
    """One file to denoise; an OME-Zarr is a folder that counts as one.

    Attributes
    ----------
    source : Path
        What is read.
    output : Path
        What is written.
    size : int
        Bytes that the image has on the disk, with those of its parts that were found.
    part_of : Path or None
        The source of another job, if this file holds nothing but a part of its image
        (see `io.file_set`). Then nothing is done here but to say so.
    """

    source: Path
    output: Path
    size: int = 0
    part_of: Path | None = None


def plan_jobs(inputs: Sequence[str], out: Path) -> list[Job]:
    """Return one job per file.

    Parameters
    ----------
    inputs : sequence of str
        Files, folders (searched through, their structure is mirrored in `out`) and
        glob patterns. A Zarr is one input, and not searched. A result of an earlier
        run is no input unless it is named, nor is a file of a set on its own, see
        `Job.part_of`.
    out : Path
        Folder of the results.

    Raises
    ------
    FileNotFoundError
        If an input names nothing.
    ValueError
        If two files would have the same output.
    """
    found: dict[tuple[Path, Path], Job] = {}
    for job in (job for text in inputs for job in _jobs_of(text, out)):
        name = job.output, job.source.resolve()
        other = found.setdefault(name, job)
        if other.part_of is not None:  # named by itself, it is wanted by itself
            found[name] = job
    jobs = list(found.values())
    _refuse_one_output_for_two(jobs)
    return jobs


def _refuse_one_output_for_two(jobs: list[Job]) -> None:
    """Raise a sentence if a result would be overwritten by another."""
    by_output: dict[Path, Job] = {}
    for job in jobs:
        if job.part_of is not None:  # it has no result
            continue
        other = by_output.setdefault(job.output, job)
        if other is not job:
            raise ValueError(
                f"{other.source} and {job.source} would both be written to "
                f"{job.output}. Run them into different folders."
            )


def _jobs_of(text: str, out: Path) -> Iterator[Job]:
    path = Path(text)
    if path.is_dir() and not is_zarr(path):
        # Results beside their sources are known by their names; a folder of results
        # inside the input folder is left out whole.
        nested = out.resolve() != path.resolve() and _is_below(out, path)
        found = [
            file
            for file in sorted(_found_in(path))
            if not (nested and _is_below(file, out))
        ]
        if not found:
            raise FileNotFoundError(
                f"{text}: the folder holds no file ending in one of "
                f"{', '.join(READABLE_SUFFIXES)}."
            )
        places = [out / file.parent.relative_to(path) for file in found]
        yield from _jobs_among(found, places)
        return
    # A name that exists is taken as it is, even with brackets in it.
    if path.exists():
        yield Job(path, out / _output_name(path), size_on_disk(path))
        return
    matches = glob.glob(text, recursive=True)  # noqa: PTH207 - Path.glob refuses absolute patterns
    files = [Path(name) for name in sorted(matches) if _is_image(Path(name))]
    if not files:
        raise FileNotFoundError(
            f"{text}: no such file or folder, and no image of that pattern."
        )
    yield from _jobs_among(files, [out] * len(files))


def _jobs_among(files: list[Path], places: list[Path]) -> Iterator[Job]:
    """Yield the jobs of files that were found together, each with its folder."""
    parts = secondary_files(files)
    sizes = {file: size_on_disk(file) for file in files}
    for file, whole in parts.items():
        sizes[whole] += sizes[file]
    for file, place in zip(files, places, strict=True):
        yield Job(file, place / _output_name(file), sizes[file], parts.get(file))


def _found_in(folder: Path) -> Iterator[Path]:
    """Yield the images below a folder, without a look into a Zarr."""
    for place, folders, names in os.walk(folder):
        here = Path(place)
        zarrs = [name for name in folders if is_zarr(here / name)]
        folders[:] = [name for name in folders if name not in zarrs]
        yield from (here / name for name in zarrs + names if _is_image(here / name))


def _is_image(file: Path) -> bool:
    """Tell whether what was found is an image and not one of our results."""
    return (
        ((has_suffix(file, FILE_SUFFIXES) and file.is_file()) or is_zarr(file))
        and not file.name.startswith(".")
        and not file.name.endswith((OUTPUT_SUFFIX, ZARR_OUTPUT_SUFFIX))
    )


def _is_below(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def _output_name(source: Path) -> str:
    name = source.name
    ending = ZARR_OUTPUT_SUFFIX if is_zarr(source) else OUTPUT_SUFFIX
    for suffix in _DOUBLE_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)] + ending
    return source.stem + ending
