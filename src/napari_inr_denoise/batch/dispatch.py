"""Where files are denoised: here, in processes of this machine, or on a cluster."""

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
    """Give the steps of a run, and end afterwards what was started for it.

    Parameters
    ----------
    jobs : list of Job
        The files.
    options : RunOptions
        How.
    workers : int or None
        Processes to start. By default files are done in this one.
    scheduler : str or None
        Address of the cluster to use instead.

    Raises
    ------
    ValueError
        If both are given, or a package for them is missing.
    ConnectionError
        If no scheduler answers there, or a worker lacks this program.
    """
    if workers is not None and scheduler is not None:
        raise ValueError(
            "--workers starts workers and --scheduler uses those there are; give "
            "only one."
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
    """Return the module that needs dask, or say what to install."""
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
