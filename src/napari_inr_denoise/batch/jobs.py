"""Which files are denoised and where the results go: pure planning."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_inr_denoise.io.read import READABLE_SUFFIXES

OUTPUT_SUFFIX = ".inr.ome.tif"
_DOUBLE_SUFFIXES = (".ome.tif", ".ome.tiff")


@dataclass(frozen=True)
class Job:
    """One file to denoise.

    Attributes
    ----------
    source : Path
        What is read.
    output : Path
        What is written.
    """

    source: Path
    output: Path


def plan_jobs(inputs: Sequence[str], out: Path) -> list[Job]:
    """Return one job per file.

    Parameters
    ----------
    inputs : sequence of str
        Files, folders (searched through, their structure is mirrored in `out`) and
        glob patterns. A result of an earlier run is no input unless it is named.
    out : Path
        Folder of the results.

    Raises
    ------
    FileNotFoundError
        If an input names nothing.
    ValueError
        If two files would have the same output.
    """
    jobs = [job for text in inputs for job in _jobs_of(text, out)]
    by_output: dict[Path, Path] = {}
    for job in jobs:
        other = by_output.setdefault(job.output, job.source)
        if other.resolve() != job.source.resolve():
            raise ValueError(
                f"{other} and {job.source} would both be written to {job.output}. "
                "Run them into different folders."
            )
    return [Job(source, output) for output, source in by_output.items()]


def _jobs_of(text: str, out: Path) -> Iterator[Job]:
    path = Path(text)
    if path.is_dir():
        # Results beside their sources are known by their names; a folder of results
        # inside the input folder is left out whole.
        nested = out.resolve() != path.resolve() and _is_below(out, path)
        found = [
            file
            for file in sorted(path.rglob("*"))
            if _is_image(file) and not (nested and _is_below(file, out))
        ]
        if not found:
            raise FileNotFoundError(
                f"{text}: the folder holds no file ending in one of "
                f"{', '.join(READABLE_SUFFIXES)}."
            )
        for file in found:
            yield Job(file, out / file.parent.relative_to(path) / _output_name(file))
        return
    # A name that exists is taken as it is, even with brackets in it.
    if path.exists():
        yield Job(path, out / _output_name(path))
        return
    matches = glob.glob(text, recursive=True)  # noqa: PTH207 - Path.glob refuses absolute patterns
    files = [Path(name) for name in sorted(matches) if _is_image(Path(name))]
    if not files:
        raise FileNotFoundError(
            f"{text}: no such file or folder, and no image of that pattern."
        )
    for file in files:
        yield Job(file, out / _output_name(file))


def _is_image(file: Path) -> bool:
    """Tell whether a file that was found is an image and not one of our results."""
    return (
        file.suffix.lower() in READABLE_SUFFIXES
        and file.is_file()
        and not file.name.startswith(".")
        and not file.name.endswith(OUTPUT_SUFFIX)
    )


def _is_below(file: Path, folder: Path) -> bool:
    return file.resolve().is_relative_to(folder.resolve())


def _output_name(source: Path) -> str:
    name = source.name
    for suffix in _DOUBLE_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)] + OUTPUT_SUFFIX
    return source.stem + OUTPUT_SUFFIX
