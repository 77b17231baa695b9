"""Files and folders that are complete under their name, or not there at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Give a file beside `path` to write, and rename it when all went well.

    Parameters
    ----------
    path : Path
        The final name; an existing file is replaced.

    Yields
    ------
    Path
        An empty file in the same folder; gone afterwards, whatever happens.
    """
    # No tempfile: its files are readable by their owner alone, even when renamed.
    beside = _beside(path)
    beside.touch(exist_ok=False)
    try:
        yield beside
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


@contextmanager
def atomic_write_folder(path: Path) -> Iterator[Path]:
    """Give a folder beside `path` to fill, and rename it when all went well.

    Parameters
    ----------
    path : Path
        The final name; an existing folder is replaced, and so is a link to one.

    Yields
    ------
    Path
        An empty folder beside it; gone afterwards, whatever happens.
    """
    beside = _beside(path)
    beside.mkdir()
    try:
        yield beside
        _replace_folder(beside, path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _replace_folder(new: Path, path: Path) -> None:
    """Put a folder in the place of another, which is deleted only when it is there.

    A folder that holds something cannot be renamed over: between the two renames
    there is none of that name, but never half a one.
    """
    if not path.exists():
        new.rename(path)
        return
    old = _beside(path)
    path.rename(old)
    try:
        new.rename(path)
    except BaseException:
        old.rename(path)
        raise
    if old.is_symlink():  # what it leads to is somebody else's
        old.unlink()
    else:
        shutil.rmtree(old, ignore_errors=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
