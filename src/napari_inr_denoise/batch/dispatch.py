"""Choice of where to denoise: this process, local workers or a dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from napari_inr_denoise.batch.jobs import Job
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.batch.serial import BatchSteps, run_jobs


@contextmanager
def steps_of_run(
    jobs: list[Job],
    options: RunOptions,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Iterator[BatchSteps]:
    """Start a run and yield its steps; workers started for it stop at the end.

    Parameters
    ----------
    jobs : list of Job
        Files to denoise.
    options : RunOptions
        How to denoise.
    workers : int or None
        Number of processes to start; None denoises in this process.
    scheduler : str or None
        Address of a running cluster to use instead.

    Yields
    ------
    generator of BatchStep
        See `run_jobs`.

    Raises
    ------
    ValueError
        If both are given, or a package that they need is missing.
    ConnectionError
        If no scheduler answers at the address, or a worker has another version.
    """
    if workers is not None and scheduler is not None:
        raise ValueError(
            "--workers starts workers and --scheduler uses running ones; give only one."
        )
    if scheduler is not None:
        cluster = _cluster_module()
        with cluster.existing_cluster(scheduler) as client:
            yield cluster.run_on_cluster(jobs, options, client)
    elif workers is not None:
        cluster = _cluster_module()
        with cluster.local_workers(workers, options.settings.device) as client:
            yield cluster.run_on_cluster(jobs, options, client)
    else:
        yield run_jobs(jobs, options)


def _cluster_module() -> Any:  # noqa: ANN401 - a module
    """Import the module that needs dask.

    Raises
    ------
    ValueError
        If dask is not installed.
    """
    try:
        from napari_inr_denoise.batch import dask_cluster as cluster
    except ModuleNotFoundError as error:
        if error.name not in {"dask", "distributed"}:
            raise
        raise ValueError(
            f"Several workers need the package {error.name}, which is not "
            'installed: python -m pip install "napari-inr-denoise[distributed]"'
        ) from error
    return cluster
