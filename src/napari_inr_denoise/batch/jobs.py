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
        glob patterns.
    out : Path
        Folder of the results; what lies in it is never an input.

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
        if other != job.source:
            raise ValueError(
                f"{other} and {job.source} would both be written to {job.output}. "
                "Run them into different folders."
            )
    return [Job(source, output) for output, source in by_output.items()]


def _jobs_of(text: str, out: Path) -> Iterator[Job]:
    path = Path(text)
    if path.is_dir():
        found = [file for file in sorted(path.rglob("*")) if _is_input(file, out)]
        if not found:
            raise FileNotFoundError(
                f"{text}: the folder holds no file ending in one of "
                f"{', '.join(READABLE_SUFFIXES)}."
            )
        for file in found:
            yield Job(file, out / file.parent.relative_to(path) / _output_name(file))
        return
    # A name that exists is taken as it is, even with brackets in it.
    names = [text] if path.exists() else sorted(glob.glob(text, recursive=True))  # noqa: PTH207 - Path.glob refuses absolute patterns
    if not names:
        raise FileNotFoundError(f"{text}: no such file or folder.")
    for name in names:
        yield Job(Path(name), out / _output_name(Path(name)))


def _is_input(file: Path, out: Path) -> bool:
    """Tell whether a file found in a folder is an image and not one of our results."""
    return (
        file.suffix.lower() in READABLE_SUFFIXES
        and file.is_file()
        and not file.name.startswith(".")
        and not file.name.endswith(OUTPUT_SUFFIX)
        and not file.resolve().is_relative_to(out.resolve())
    )


def _output_name(source: Path) -> str:
    name = source.name
    for suffix in _DOUBLE_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)] + OUTPUT_SUFFIX
    return source.stem + OUTPUT_SUFFIX
