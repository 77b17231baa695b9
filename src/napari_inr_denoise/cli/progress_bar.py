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

_NAME = 28
"""Letters of a file's name that are shown."""


class ProgressBar:
    """Files and planes with rate and time left, and the fit, on standard error."""

    def __init__(self) -> None:
        self._bar = tqdm(
            file=sys.stderr,
            disable=None,  # nothing to draw where standard error is no terminal
            bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed} elapsed{postfix}",
            total=1,
        )
        self._pace = Pace()

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def follow(self, batch: BatchStep) -> None:
        """Show where a run over files is."""
        self._pace.follow(batch)
        told = (self._pace.files(), self._pace.planes(batch))
        self._show(self._pace.share, batch.job.source.name, told, batch.progress)

    def show(self, name: str, progress: JobProgress) -> None:
        """Show how far a single image is."""
        self._show(progress.share, name, (), progress)

    def _show(
        self,
        done: float,
        name: str,
        told: tuple[str, ...],
        progress: JobProgress | None,
    ) -> None:
        short = name if len(name) <= _NAME else f"{name[: _NAME - 3]}..."
        self._bar.set_description_str(short, refresh=False)
        if progress is not None:
            told = (*told, progress.place, progress.fit)
        self._bar.set_postfix_str("; ".join(filter(None, told)), refresh=False)
        self._bar.update(max(done - self._bar.n, 0))

    def say(self, text: str) -> None:
        """Print a line to standard output above the bar."""
        self._bar.clear()
        click.echo(text)
        self._bar.refresh()
