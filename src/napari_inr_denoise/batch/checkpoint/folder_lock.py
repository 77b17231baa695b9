"""Who works in a folder: a file that tells, on this machine and on others."""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from threading import Event, Thread
from typing import Any

_BEAT_S = 15.0
_STALE_S = 120.0
"""A lock that was not touched for so long is that of a process that is gone."""


class FolderLock:
    """A file that is touched every few seconds for as long as its process lives.

    It names machine, process and run. A process of this machine that is gone is known
    by its number; on another machine the number means nothing, and the file's age
    tells.

    Parameters
    ----------
    path : Path
        The file, in a folder that exists.
    run : str
        Name of the run. A lock of the same run is taken over at once: a run begins a
        file again only when it knows that the worker which held it is gone.

    Raises
    ------
    FileExistsError
        If another process holds it.
    """

    def __init__(self, path: Path, run: str) -> None:
        self._path = path
        text = json.dumps(
            {"host": socket.gethostname(), "process": os.getpid(), "run": run}
        )
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            refuse_if_held(path, run)
            handle = os.open(path, os.O_TRUNC | os.O_WRONLY)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
        except OSError:  # a full disk
            path.unlink(missing_ok=True)
            raise
        self._ended = Event()
        Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        while not self._ended.wait(_BEAT_S):
            with suppress(OSError):  # a network drive that is away for a moment
                os.utime(self._path)

    def release(self, *, remove: bool = True) -> None:
        """Stop touching the file, and delete it unless its folder goes anyway."""
        self._ended.set()
        if remove:
            self._path.unlink(missing_ok=True)


def refuse_if_held(path: Path, run: str = "") -> None:
    """Raise a sentence if a process that lives holds a lock.

    Raises
    ------
    FileExistsError
        With the process and its machine.
    """
    holder = _holder(path)
    if not holder or (run and holder.get("run") == run):
        return
    host, process = str(holder.get("host")), holder.get("process")
    if _is_alive(path, host, process):
        raise FileExistsError(
            f"{path.parent} is being written by process {process} on {host}. Wait for "
            "it, or choose another folder for the results."
        )


def _holder(path: Path) -> dict[str, Any]:
    """Return what a lock says; nothing if its process was killed while it wrote it."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _is_alive(path: Path, host: str, process: object) -> bool:
    """Return whether the holder of a lock is still there, as far as can be told."""
    try:
        # A holder that lives touches it by the clock of now. Of one that was touched
        # in the future, by a clock that was set back since, nobody is left either.
        if abs(_now_in(path.parent) - path.stat().st_mtime) > _STALE_S:
            return False
    except OSError:
        return False
    if host != socket.gethostname() or not isinstance(process, int):
        return True
    return process != os.getpid() and _runs_here(process)


def _now_in(folder: Path) -> float:
    """Return the time by the clock that stamps a folder's files, in seconds.

    On a network drive that is the clock of another machine.
    """
    try:
        with NamedTemporaryFile(dir=folder, prefix=".now") as probe:
            return Path(probe.name).stat().st_mtime
    except OSError:  # nothing may be written there
        return time.time()


def _runs_here(process: int) -> bool:
    if os.name == "nt":  # there `os.kill` would end it
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _waits_to_be_buried(process)


def _waits_to_be_buried(process: int) -> bool:
    """Return whether a process has ended and only its number is left (Linux).

    In a container where nobody asks for the ends of orphans it stays so for good.
    """
    try:
        about = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return about.rpartition(")")[2].split()[:1] == ["Z"]
