"""The queue of images of a run, their progress and outcomes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from napari_inr_denoise.core.report.duration import short_duration
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.plugin.layers.source.layer_source import LayerSource
from napari_inr_denoise.plugin.runs.time_left import Expected, TimeLeft

_LEAST_S = 1.0
"""Shortest time left that is told, in seconds."""


@dataclass(frozen=True)
class QueuedRun:
    """An image in the queue.

    Attributes
    ----------
    name : str
        For messages.
    source : LayerSource
        The image.
    settings : DenoiseSettings
        Settings of its run.
    expected : Expected or None
        What the run is expected to take, if it is known.
    """

    name: str
    source: LayerSource
    settings: DenoiseSettings
    expected: Expected | None = None


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
        self._now: TimeLeft | None = None
        self._pixels_at_work, self._pixels_done = 0, 0
        self._share = 0.0
        self._begun, self._done, self._ending = 0, 0, ""
        self._failures: list[tuple[str, str]] = []
        self._stopped = self._of_previews = False
        self._dropped: list[str] = []

    def add(self, run: QueuedRun) -> None:
        """Append an image."""
        self._waiting.append(run)
        self._of_previews = run.source.is_preview

    def expect(
        self, told: Callable[[LayerSource, DenoiseSettings], Expected | None]
    ) -> None:
        """Note what each waiting run is expected to take."""
        self._waiting = deque(
            replace(run, expected=told(run.source, run.settings))
            for run in self._waiting
        )

    def name_layers(self, named: Callable[[LayerSource, DenoiseSettings], str]) -> None:
        """Give the result layer of each waiting run its name."""
        for run in self._waiting:
            run.source.keywords["name"] = named(run.source, run.settings)

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
        self._pixels_at_work, self._now = 0, None
        if not self._waiting:
            return None
        self._begun += 1
        run = self._waiting.popleft()
        self._at_work, self._pixels_at_work = run.name, run.source.pixel_count
        self._now = TimeLeft(run.expected, self._clock)
        return run

    def follow(self, progress: float) -> None:
        """Take the finished share of the current image, 0 to 1."""
        if self._now is not None:
            self._now.follow(progress)

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the end of the queue; None while they are not known.

        Images without an expectation are expected to take as long for a pixel as those
        so far.
        """
        left = 0.0 if self._now is None else self._now.seconds
        if left is None:
            return None
        known = self._pixels_done + self._pixels_at_work
        pace = (self._elapsed + left) / known if known else 0.0
        return left + sum(
            pace * run.source.pixel_count
            if run.expected is None
            else run.expected.seconds
            for run in self._waiting
        )

    @property
    def _elapsed(self) -> float:
        return self._clock() - self._started

    @property
    def share(self) -> float:
        """Finished fraction of the time of all images; never decreases."""
        left = self.seconds_left
        if left is not None and self._elapsed + left > 0:
            share = self._elapsed / (self._elapsed + left)
            self._share = max(self._share, share)
        return self._share

    @property
    def time_left(self) -> str:
        """The time until the end of the queue in words; empty if it is not known."""
        left = self.seconds_left
        if left is None or left < _LEAST_S:
            return ""
        return f"~{short_duration(left)} left{' in all' if self.count > 1 else ''}"

    def finish(self, ending: str, *, partial: bool = False) -> None:
        """Record that the current image has a result, and why its run ended.

        A partial result, of a run that was stopped, does not count as denoised.
        """
        self._done += not partial
        self._ending = f"{self._at_work}: {ending}"

    def fail(self, cause: str) -> None:
        """Record that the current image has no result, and the cause."""
        self._failures.append((self._at_work, cause))

    def drop(self) -> None:
        """Drop the waiting images."""
        self._stopped = True
        self._dropped += [run.name for run in self._waiting]
        self._waiting.clear()

    def with_position(self, text: str, *, named: bool = False) -> str:
        """Return a text after the current image's position, if there are several.

        Parameters
        ----------
        text : str
            Text about the current image.
        named : bool
            Whether its name comes before the text also if it is the only one.
        """
        if self.count < 2:
            return f"{self._at_work}: {text}" if named else text
        return f"{self._at_work} ({self._begun} of {self.count}): {text}"

    def summary(self) -> str:
        """Return the outcomes of several images, or why a single one was refused."""
        if self.count < 2:  # what became of it was told, unless it never began
            causes = [cause for _, cause in self._failures]
            return "" if self._at_work else "\n".join(causes)
        what = "previews" if self._of_previews else "layers"
        lines = [f"{self._done} of {self.count} {what} denoised."]
        lines += [f"{name}: {cause}" for name, cause in self._failures]
        if self._stopped and self._ending:
            lines.append(self._ending)
        if self._dropped:
            lines.append(f"Not started: {', '.join(self._dropped)}.")
        return "\n".join(lines)
