"""Files that are complete under their name, or not there at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
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
    handle, name = tempfile.mkstemp(".part", f".{path.name}.", path.parent)
    os.close(handle)
    beside = Path(name)
    try:
        yield beside
        _give_usual_permissions(beside)
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


def _give_usual_permissions(path: Path) -> None:
    """Undo mkstemp's "owner only": the file is as readable as any other new one."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)
