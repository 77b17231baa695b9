"""The queue of images of a run, their progress and outcomes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from napari_inr_denoise.core.report.duration import short_duration
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.layers.source import LayerSource

_LEAST_SHARE = 0.02
"""Finished fraction of a run before the time left is estimated."""


@dataclass(frozen=True)
class QueuedRun:
    """An image in the queue: its name for messages, its source, and its settings."""

    name: str
    source: LayerSource
    settings: DenoiseSettings


class RunQueue:
    """The waiting and finished images of one press of Run.

    Parameters
    ----------
    clock : callable
        Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._started = clock, clock()
        self._waiting: deque[QueuedRun] = deque()
        self._at_work = ""
        self._pixels, self._pixels_at_work, self._pixels_done = 0, 0, 0
        self._begun, self._done, self._ending = 0, 0, ""
        self._failures: list[tuple[str, str]] = []
        self._stopped = self._of_previews = False
        self._dropped: list[str] = []

    def add(self, run: QueuedRun) -> None:
        """Append an image."""
        self._waiting.append(run)
        self._of_previews = run.source.is_preview
        self._pixels += run.source.pixel_count

    def refuse(self, name: str, cause: str) -> None:
        """Record an image that cannot be denoised, and the cause."""
        self._begun += 1
        self._failures.append((name, cause))

    @property
    def sources(self) -> tuple[LayerSource, ...]:
        """The sources of the waiting images."""
        return tuple(run.source for run in self._waiting)

    @property
    def count(self) -> int:
        """Number of all images: waiting, started, refused and dropped."""
        return self._begun + len(self._waiting) + len(self._dropped)

    def next(self) -> QueuedRun | None:
        """Take the next image from the queue; None at its end."""
        self._pixels_done += self._pixels_at_work
        self._pixels_at_work = 0
        if not self._waiting:
            return None
        self._begun += 1
        run = self._waiting.popleft()
        self._at_work, self._pixels_at_work = run.name, run.source.pixel_count
        return run

    def share(self, progress: float) -> float:
        """Return the finished fraction of all images, weighted by their pixels.

        Parameters
        ----------
        progress : float
            Finished fraction of the current image.
        """
        done = self._pixels_done + progress * self._pixels_at_work
        return done / max(self._pixels, 1)

    def time_left(self, progress: float) -> str:
        """Return the expected time until the end of the queue, from its speed so far.

        Empty at the start, while it is unknown, and at the end.
        """
        share, elapsed = self.share(progress), self._clock() - self._started
        if not _LEAST_SHARE <= share < 1:
            return ""
        left = short_duration(elapsed * (1 - share) / share)
        return f"~{left} left{' in all' if self.count > 1 else ''}"

    def finish(self, ending: str) -> None:
        """Record that the current image has a result, and why its run ended."""
        self._done += 1
        self._ending = f"{self._at_work}: {ending}"

    def fail(self, cause: str) -> None:
        """Record that the current image has no result, and the cause."""
        self._failures.append((self._at_work, cause))

    def drop(self) -> None:
        """Drop the waiting images."""
        self._stopped = True
        self._dropped += [run.name for run in self._waiting]
        self._waiting.clear()

    def with_position(self, text: str) -> str:
        """Return a text after the current image's position, if there are several."""
        if self.count < 2:
            return text
        return f"{self._at_work} ({self._begun} of {self.count}): {text}"

    def summary(self) -> str:
        """Return the outcomes of several images, or why a single one was refused."""
        if self.count < 2:
            return "\n".join(cause for _, cause in self._failures)
        what = "previews" if self._of_previews else "layers"
        lines = [f"{self._done} of {self.count} {what} denoised."]
        lines += [f"{name}: {cause}" for name, cause in self._failures]
        if self._stopped and self._ending:
            lines.append(self._ending)
        if self._dropped:
            lines.append(f"Not started: {', '.join(self._dropped)}.")
        return "\n".join(lines)
