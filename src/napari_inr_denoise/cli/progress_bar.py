"""The command line's progress bar."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from napari_inr_denoise.batch.eta import Pace

if TYPE_CHECKING:
    from napari_inr_denoise.batch.progress import JobProgress
    from napari_inr_denoise.batch.serial import BatchStep

_NAME_LENGTH = 28
"""Number of letters of a file name that are shown."""


class ProgressBar:
    """Progress of files and planes, remaining time and state of the fit, on stderr."""

    def __init__(self) -> None:
        self._bar = tqdm(
            file=sys.stderr,
            disable=None,  # off if standard error is not a terminal
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed} elapsed{postfix}",
            total=1,
        )
        self._pace = Pace()

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def follow(self, batch: BatchStep) -> None:
        """Show the progress of a run over files."""
        self._pace.follow(batch)
        texts = (self._pace.files(), self._pace.planes(batch))
        self._show(self._pace.share, batch.job.source.name, texts, batch.progress)

    def show(self, name: str, progress: JobProgress) -> None:
        """Show the progress of a single image."""
        self._show(progress.share, name, (), progress)

    def _show(
        self,
        done: float,
        name: str,
        texts: tuple[str, ...],
        progress: JobProgress | None,
    ) -> None:
        short = name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 3]}..."
        self._bar.set_description_str(short, refresh=False)
        if progress is not None:
            texts = (*texts, progress.place, progress.fit)
        self._bar.set_postfix_str("; ".join(filter(None, texts)), refresh=False)
        self._bar.update(max(done - self._bar.n, 0))

    def print_line(self, text: str) -> None:
        """Print a line to standard output above the bar."""
        self._bar.clear()
        click.echo(text)
        self._bar.refresh()
