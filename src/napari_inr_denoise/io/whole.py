"""Files that are complete under their name, or not there at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4


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
    # No tempfile: its files are readable by their owner alone, even when renamed.
    beside = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    beside.touch(exist_ok=False)
    try:
        yield beside
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
