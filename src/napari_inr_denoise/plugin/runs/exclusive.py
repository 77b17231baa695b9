"""Estimates and runs take turns: beside a run, an estimate would measure a lie."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_POLL_SECONDS = 0.05
_estimating = threading.Lock()
_runs: set[threading.Event] = set()


@contextmanager
def running(stop: threading.Event) -> Iterator[None]:
    """Hold while a run is at work; an estimate that was begun ends before.

    Parameters
    ----------
    stop : threading.Event
        Ends the waiting; the run's own.
    """
    _runs.add(stop)
    try:
        while not stop.is_set() and _estimating.locked():
            stop.wait(_POLL_SECONDS)
        yield
    finally:
        _runs.discard(stop)


@contextmanager
def estimating() -> Iterator[bool]:
    """Hold while an estimate is at work; yields whether it may be."""
    if not _estimating.acquire(blocking=False):
        yield False
        return
    try:
        # Asked for under the lock: a run that comes now waits.
        yield not _runs
    finally:
        _estimating.release()
