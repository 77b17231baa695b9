"""Links in a folder that nobody vouches for: none may lead outside of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def check_links(folder: Path) -> None:
    """Raise a sentence if a link anywhere below a folder leads outside of it.

    The folder itself may be a link. A link may lead to another place inside.

    Parameters
    ----------
    folder : Path
        Its files are not opened.

    Raises
    ------
    ValueError
        With the first such link.
    """
    inside = folder.resolve()
    for link in _links_below(folder):
        if not link.resolve().is_relative_to(inside):
            raise ValueError(
                f"{link} is a link that leads outside of {folder}, which is not "
                "followed. Put what it leads to in its place."
            )


def _links_below(folder: Path) -> Iterator[Path]:
    """Yield the links, without a look at what each other file is."""
    waiting = [os.fspath(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    yield Path(entry.path)
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
