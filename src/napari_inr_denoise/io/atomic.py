"""Atomic writes: a file or folder appears under its name only when it is complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

_MAX_NAME_BYTES = 255
"""Maximum bytes of a name on most file systems."""
_ADDED_BYTES = 16
"""Bytes that temporary names have more than the name of their file."""


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary file to write, and rename it to `path` if no error occurs.

    Parameters
    ----------
    path : Path
        Final name; an existing file is replaced.

    Yields
    ------
    Path
        Empty file in the same folder; deleted after an error.
    """
    # Not tempfile: its files remain readable by their owner only.
    temporary = _temporary_name(path)
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


@contextmanager
def atomic_write_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder to fill, and rename it to `path` if no error occurs.

    Parameters
    ----------
    path : Path
        Final name; an existing folder, or a link to one, is replaced.

    Yields
    ------
    Path
        Empty folder in the same parent folder; deleted after an error.
    """
    temporary = _temporary_name(path)
    temporary.mkdir()
    try:
        yield temporary
        _replace_folder(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace_folder(new: Path, path: Path) -> None:
    """Replace a folder by a new one, and delete the old one afterwards.

    A folder that is not empty cannot be replaced by one rename: between two renames
    there is no folder of that name, but never an incomplete one.
    """
    if not path.exists():
        new.rename(path)
        return
    old = _temporary_name(path)
    path.rename(old)
    try:
        new.rename(path)
    except BaseException:
        old.rename(path)
        raise
    if old.is_symlink():  # its target is kept
        old.unlink()
    else:
        shutil.rmtree(old, ignore_errors=True)


def short_name(path: Path) -> str:
    """Return a name for the temporary files of a path: its own, or a digest of it.

    A name that a file system just allows leaves no room for what temporary names add.
    """
    encoded = os.fsencode(path.name)
    if len(encoded) + _ADDED_BYTES <= _MAX_NAME_BYTES:
        return path.name
    return sha256(encoded).hexdigest()[:32]


def _temporary_name(path: Path) -> Path:
    return path.with_name(f".{short_name(path)}.{uuid4().hex[:8]}.part")
