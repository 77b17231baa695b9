"""Where a section measures, how large, until when, and where its figures go."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

Row = dict[str, str | float | bool | None]
"""Figures of one measurement by name."""
Section = Callable[["Place"], Iterator[Row]]


@dataclass(frozen=True)
class Place:
    """Where a section measures.

    Attributes
    ----------
    device : torch.device
        Device that is asked.
    dry : bool
        Whether everything is tiny, to see that it works at all.
    until : float
        When the section should have ended, in seconds since the epoch.
    folder : Path
        Where longer texts are written.
    """

    device: torch.device
    dry: bool
    until: float
    folder: Path

    def enough(self, seconds: float) -> bool:
        """Return whether there is time for work of an expected duration."""
        return self.dry or time.time() + seconds < self.until

    def side(self, pixels: int) -> int:
        """Return the side of an image, in pixels; a dry one is small."""
        return min(pixels, 48) if self.dry else pixels


def append(path: Path, row: Row) -> None:
    """Append a row to a file of one JSON object a line."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a file; none if there is no file."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [json.loads(line) for line in lines]
