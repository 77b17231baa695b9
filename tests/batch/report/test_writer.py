from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_inr_denoise import DenoiseSettings
from napari_inr_denoise.batch.report.job_report import JobReport
from napari_inr_denoise.batch.report.writer import ReportWriter
from tests.batch.example_report import FILE


def test_reports_are_in_the_order_of_the_files_and_whole_at_the_end(
    tmp_path: Path,
) -> None:
    writer = ReportWriter(tmp_path, DenoiseSettings())
    for number in (2, 0, 1):
        writer.add(number, JobReport(replace(FILE, source=f"{number}.tif")))
    assert writer.close() == ""
    text = (tmp_path / "report.html").read_text("utf-8")
    places = [text.index(f"{number}.tif") for number in range(3)]
    assert places == sorted(places)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"report.csv", "report.html", "report.json"}
