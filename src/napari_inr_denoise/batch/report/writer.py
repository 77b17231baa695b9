"""Writer of the reports of a run, which are updated while it goes on."""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path

from napari_inr_denoise.batch.report.causes import cause_of
from napari_inr_denoise.batch.report.files import write_report
from napari_inr_denoise.batch.report.job_report import JobReport
from napari_inr_denoise.batch.report.page import write_page
from napari_inr_denoise.core.report.report import DenoiseReport
from napari_inr_denoise.core.settings import DenoiseSettings

_TIME_FRACTION = 0.05
"""Largest fraction of the time of a run that is spent on its reports."""


class ReportWriter:
    """Collects the reports of the files, and writes them in the order of the files.

    Writing takes longer the more files there are. Reports are therefore not written
    after every file, but as often as that takes a small fraction of the time, and at
    the end.

    Parameters
    ----------
    folder : Path
        Folder of report.json, report.csv and report.html; created if needed.
    settings : DenoiseSettings
        Settings of the run.
    """

    def __init__(self, folder: Path, settings: DenoiseSettings) -> None:
        self._folder, self._settings = folder, settings
        self._done: dict[int, JobReport] = {}
        self._next = 0.0
        self._written, self._problem = 0, ""

    def add(self, number: int, done: JobReport) -> None:
        """Add the report of a file, and write all if it is time."""
        self._done[number] = done
        if time.monotonic() >= self._next:
            self._write()

    def close(self) -> str:
        """Write what is not yet written; return the cause of a failure, or ''."""
        if self._written < len(self._done):
            self._write()
        return self._problem

    @property
    def report(self) -> DenoiseReport:
        """Report of the files that are finished, in their order."""
        files = tuple(one.file for one in self._in_order())
        return DenoiseReport(version("napari-inr-denoise"), self._settings, files)

    def _in_order(self) -> list[JobReport]:
        return [self._done[number] for number in sorted(self._done)]

    def _write(self) -> None:
        started = time.monotonic()
        report, done = self.report, self._in_order()
        try:
            write_report(report, self._folder)
            write_page(report, [one.thumbnails for one in done], self._folder)
            self._written, self._problem = len(done), ""
        except OSError as error:  # a run goes on without its report
            self._problem = cause_of(error)
        ended = time.monotonic()
        self._next = ended + (ended - started) / _TIME_FRACTION
