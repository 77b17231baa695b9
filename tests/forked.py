"""Processes that need no imports: they are forked, and torch alone takes seconds."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext

_IMPORTED = [
    "distributed",
    "napari_inr_denoise.batch.dask_cluster",
    "napari_inr_denoise.cli.main",
]


def forking() -> ForkServerContext:
    """Return a way to start processes by forking one that has imported everything."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED)
    forkserver.ensure_running()
    return context


@contextmanager
def workers_forked() -> Iterator[None]:
    """Fork the dask workers that are started within the context."""
    from dask import config

    forking()
    with config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        yield
