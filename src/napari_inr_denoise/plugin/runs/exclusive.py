"""Keeps estimates and runs exclusive: a run beside it falsifies a time estimate."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_POLL_SECONDS = 0.05
_estimating = threading.Lock()
_runs: set[threading.Event] = set()


@contextmanager
def running(stop: threading.Event) -> Iterator[None]:
    """Mark a run as running, after waiting for the end of an estimate.

    Parameters
    ----------
    stop : threading.Event
        The stop event of the run; it also ends the waiting.
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
    """Mark an estimate as running; yields whether it may start."""
    if not _estimating.acquire(blocking=False):
        yield False
        return
    try:
        # Checked under the lock: a run that starts now waits.
        yield not _runs
    finally:
        _estimating.release()
