"""The command line's progress bar."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

if TYPE_CHECKING:
    from napari_inr_denoise.batch.run import BatchStep
    from napari_inr_denoise.core.denoise import DenoiseStep

_NAME = 28
"""Letters of a file's name that are shown."""


class ProgressBar:
    """Share done, time left, plane, steps a second and residual, on standard error."""

    def __init__(self) -> None:
        self._bar = tqdm(
            file=sys.stderr,
            disable=None,  # nothing to draw where standard error is no terminal
            bar_format=(
                "{desc} {percentage:3.0f}%|{bar}| {elapsed} elapsed, "
                "{remaining} left{postfix}"
            ),
            total=1,
            smoothing=0,  # a fit is fast at first: the last second tells little
        )

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def follow(self, batch: BatchStep) -> None:
        """Show where a run over files is."""
        self._bar.total = batch.count
        # Without a step the file is finished, or was never begun.
        share = 1.0 if batch.step is None else batch.step.progress
        self.show(batch.number + share, batch.job.source.name, batch.step)

    def show(self, done: float, name: str, step: DenoiseStep | None) -> None:
        """Show how much is done, in files."""
        short = name if len(name) <= _NAME else f"{name[: _NAME - 3]}..."
        self._bar.set_description_str(short, refresh=False)
        if step is not None and step.fit is not None:
            ratio = step.fit.residual_rms / step.fit.noise.sigma
            self._bar.set_postfix_str(
                f"{step.place}{', ' if step.place else ''}"
                f"step {step.fit.step}, {step.fit.steps_per_second:.0f} steps/s, "
                f"residual {ratio:.2f} x noise",
                refresh=False,
            )
        self._bar.update(max(done - self._bar.n, 0))

    def say(self, text: str) -> None:
        """Print a line to standard output above the bar."""
        self._bar.clear()
        click.echo(text)
        self._bar.refresh()
