"""The command line's progress bar."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from napari_inr_denoise.batch.eta import Pace
from napari_inr_denoise.core.report.duration import short_duration

if TYPE_CHECKING:
    from napari_inr_denoise.batch.progress import JobProgress
    from napari_inr_denoise.batch.serial import BatchStep

_FORMAT = "{desc} {percentage:3.0f}%|{bar}|"
_NAME_LENGTH = 20
"""Number of letters of a file name that are shown."""


class ProgressBar:
    """Progress and time left, in one line of 80 letters on standard error."""

    def __init__(self) -> None:
        self._bar = tqdm(
            file=sys.stderr,
            disable=None,  # off if standard error is not a terminal
            bar_format=_FORMAT,
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
        texts = [self._pace.files(), planes_text(batch.progress)]
        if self._pace.share < 1:
            texts.append(self._pace.left())
        self._show(self._pace.share, batch.job.source.name, texts)

    def show(self, name: str, progress: JobProgress) -> None:
        """Show the progress of a single image."""
        done, elapsed = progress.share, self._bar.format_dict["elapsed"]
        left = f"~{short_duration(elapsed / done - elapsed)} left" if done > 0 else ""
        self._show(done, name, [planes_text(progress), left])

    def _show(self, done: float, name: str, texts: list[str]) -> None:
        short = (
            name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}\u2026"
        )
        self._bar.set_description_str(short, refresh=False)
        # tqdm's own postfix would begin with a comma.
        self._bar.bar_format = f"{_FORMAT} {', '.join(filter(None, texts))}"
        self._bar.update(max(done - self._bar.n, 0))

    def print_line(self, text: str) -> None:
        """Print a line to standard output above the bar."""
        self._bar.clear()
        click.echo(text)
        self._bar.refresh()


def planes_text(progress: JobProgress | None) -> str:
    """Return planes done of a file; the step of the fit before the first is done."""
    if progress is None:
        return ""
    if progress.plane_count > 1 and (progress.planes or not progress.fit):
        return f"{progress.planes}/{progress.plane_count} planes"
    return progress.fit.partition(",")[0]
