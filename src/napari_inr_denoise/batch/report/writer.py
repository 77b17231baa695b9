"""The three reports of a run, kept up to date on disk while it goes on."""

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

_SHARE = 0.05
"""Largest share of a run's time that goes into its reports."""


class ReportWriter:
    """Collects what became of the files, and writes it in the order of the files.

    Each report is written whole, which takes longer the more files there are: not
    after every file, then, but as often as it takes no more than a small share of the
    time, and at the end.

    Parameters
    ----------
    folder : Path
        Of report.json, report.csv and report.html; created if need be.
    settings : DenoiseSettings
        Of the run.
    """

    def __init__(self, folder: Path, settings: DenoiseSettings) -> None:
        self._folder, self._settings = folder, settings
        self._done: dict[int, JobReport] = {}
        self._next = 0.0
        self._written, self._problem = 0, ""

    def add(self, number: int, done: JobReport) -> None:
        """Take a file's report, and write all if it is time."""
        self._done[number] = done
        if time.monotonic() >= self._next:
            self._write()

    def close(self) -> str:
        """Write what has not been written; return why that failed, if it did."""
        if self._written < len(self._done):
            self._write()
        return self._problem

    @property
    def report(self) -> DenoiseReport:
        """Of the files so far, in their order."""
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
        except OSError as error:  # the results are worth more than their report
            self._problem = cause_of(error)
        ended = time.monotonic()
        self._next = ended + (ended - started) / _SHARE
