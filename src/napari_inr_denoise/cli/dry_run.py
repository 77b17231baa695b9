"""Dry run: estimates of time and memory for each file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from napari_inr_denoise.batch.file import read_source
from napari_inr_denoise.batch.jobs import Job
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.report.causes import cause_of
from napari_inr_denoise.core.preflight.estimate import preflight
from napari_inr_denoise.core.report.duration import duration_words


def estimates(jobs: Sequence[Job], options: RunOptions) -> Iterator[str]:
    """Yield a line for each file, and one for the total.

    Parameters
    ----------
    jobs : sequence of Job
        Files to estimate.
    options : RunOptions
        How to denoise.
    """
    total = 0.0
    for job in jobs:
        if job.part_of is not None:
            yield f"{job.source}: part of {job.part_of}."
            continue
        try:
            record = read_source(job, options)
            plan = preflight(
                record.data,
                record.axes,
                options.settings,
                record.spatial_spacing_um(),
                streamed=True,
            )
        except Exception as error:  # noqa: BLE001 - other files go on
            cause = cause_of(error).removeprefix(f"{job.source}: ")
            yield f"{job.source}: would fail: {cause}"
            continue
        total += plan.seconds
        done = " There is a result already." if job.output.exists() else ""
        name = f" [{job.image.name}]" if job.image else ""
        yield f"{job.source}{name}: {plan.words()}{done}"
    if len(jobs) > 1:
        yield f"All {len(jobs)} files, one after the other: {duration_words(total)}."
