"""Virtual environments of the peers, from the package index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Lock

from tests.benchmarks.peers.catalogue import Environment

_INSTALLED = "installed.txt"
_FAILED = "failed.txt"
_SECONDS = 1800
_MAKING = Lock()


class InstallError(Exception):
    """A peer could not be installed; the message is the installer's."""


def python_of(environment: Environment | None, folder: Path) -> Path:
    """Return the interpreter of an environment, which is made if there is none.

    Parameters
    ----------
    environment : Environment or None
        None for the environment that this runs in.
    folder : Path
        Of the environments. What failed once fails again until its folder is removed.

    Raises
    ------
    InstallError
        If the packages cannot be installed.
    """
    if environment is None:
        return Path(sys.executable)
    place = folder / environment.name
    python = place / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    with _MAKING:
        if (place / _FAILED).exists():
            raise InstallError((place / _FAILED).read_text("utf-8"))
        if not (place / _INSTALLED).exists():
            print(f"making the environment of {environment.name}", file=sys.stderr)
            _make(environment, place, python)
    return python


def _make(environment: Environment, place: Path, python: Path) -> None:
    commands = [
        [sys.executable, "-m", "venv", str(place)],
        *(
            [str(python), "-m", "pip", "install", "--quiet", *packages.split()]
            for packages in environment.packages
        ),
    ]
    for command in commands:
        message = _message_of(command)
        if message:
            place.mkdir(parents=True, exist_ok=True)
            (place / _FAILED).write_text(message, "utf-8")
            raise InstallError(message)
    listed = [str(python), "-m", "pip", "freeze"]
    done = subprocess.run(listed, capture_output=True, text=True, check=True)
    (place / _INSTALLED).write_text(done.stdout, "utf-8")


def _message_of(command: list[str]) -> str:
    """Return why a command failed; empty if it did not."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"not done in {_SECONDS} s"
    if not done.returncode:
        return ""
    lines = done.stderr.splitlines()
    errors = [line for line in lines if "ERROR" in line]
    return (errors or lines or ["no message"])[0].strip()
