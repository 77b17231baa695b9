"""Lock file of a folder that several processes or machines may write to."""

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

_HEARTBEAT_S = 15.0
_STALE_S = 120.0
"""Age after which the lock of a process that has ended is taken over."""


class FolderLock:
    """A file that is touched every few seconds while its process lives.

    It holds machine, process and run. Whether a process of this machine lives is known
    from its number; for another machine it is judged by the age of the file.

    Parameters
    ----------
    path : Path
        Lock file, in an existing folder.
    run : str
        Name of the run. A lock of the same run is taken over at once: a run starts a
        file again only after the worker that held the lock has died.

    Raises
    ------
    FileExistsError
        If another process holds the lock.
    """

    def __init__(self, path: Path, run: str) -> None:
        self._path = path
        text = json.dumps(
            {"host": socket.gethostname(), "process": os.getpid(), "run": run}
        )
        try:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        except FileExistsError:
            check_not_held(path, run)
            handle = os.open(path, os.O_TRUNC | os.O_WRONLY)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
        except OSError:  # a full disk
            path.unlink(missing_ok=True)
            raise
        self._ended = Event()
        Thread(target=self._heartbeat, daemon=True).start()

    def _heartbeat(self) -> None:
        while not self._ended.wait(_HEARTBEAT_S):
            with suppress(OSError):  # a network drive may be unavailable for a moment
                os.utime(self._path)

    def release(self, *, remove: bool = True) -> None:
        """Stop touching the file, and delete it unless its folder is deleted."""
        self._ended.set()
        if remove:
            self._path.unlink(missing_ok=True)


def check_not_held(path: Path, run: str = "") -> None:
    """Raise FileExistsError if a living process holds a lock.

    Raises
    ------
    FileExistsError
        The message names the process and its machine.
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
    """Return the content of a lock; empty if its process was killed while writing."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _is_alive(path: Path, host: str, process: object) -> bool:
    """Return whether the holder of a lock lives, as far as is known."""
    try:
        # A living holder touches the lock by the current clock. A time in the future
        # was stamped before the clock was set back, so it is stale as well.
        if abs(_now_in(path.parent) - path.stat().st_mtime) > _STALE_S:
            return False
    except OSError:
        return False
    if host != socket.gethostname() or not isinstance(process, int):
        return True
    return process != os.getpid() and _is_running(process)


def _now_in(folder: Path) -> float:
    """Return the time in seconds by the clock that stamps the files of a folder.

    On a network drive this is the clock of another machine.
    """
    try:
        with NamedTemporaryFile(dir=folder, prefix=".now") as probe:
            return Path(probe.name).stat().st_mtime
    except OSError:  # no permission to write
        return time.time()


def _is_running(process: int) -> bool:
    if os.name == "nt":  # where `os.kill` would end the process
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(process)


def _is_zombie(process: int) -> bool:
    """Return whether a process is a zombie: ended, but not reaped (Linux).

    In a container without an init process zombies stay.
    """
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[:1] == ["Z"]
