"""Check that no link in a folder leads outside of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def check_links(folder: Path) -> None:
    """Raise ValueError if a link at any depth of a folder leads outside of it.

    The folder itself may be a link. Links inside the folder are allowed.

    Parameters
    ----------
    folder : Path
        The folder; its files are not opened.

    Raises
    ------
    ValueError
        If there is such a link; the message names the first one.
    """
    inside = folder.resolve()
    for link in _links_below(folder):
        if not link.resolve().is_relative_to(inside):
            raise ValueError(
                f"{link} is a link that leads outside of {folder} and is not followed. "
                "Replace the link by its target."
            )


def _links_below(folder: Path) -> Iterator[Path]:
    """Yield all links, without examining other files."""
    waiting = [os.fspath(folder)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    yield Path(entry.path)
                elif entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
