"""report.json and report.csv beside the results."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from napari_inr_denoise.core.report.report import PLANE_FIELDS, DenoiseReport
from napari_inr_denoise.io.atomic import atomic_write

_PLANE_COLUMNS = tuple(name for name in PLANE_FIELDS if name != "index")
_COLUMNS = (
    *("source", "output", "status", "error", "notes", "seconds", "T", "C", "Z"),
    *("series", "incomplete"),
)


def write_report(report: DenoiseReport, folder: Path) -> None:
    """Write report.json and report.csv, each complete or not at all.

    Parameters
    ----------
    report : DenoiseReport
        Report of the run.
    folder : Path
        Folder of both files; created if needed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("report.json", "report.csv"):
        write_report_file(report, folder / name)


def write_report_file(report: DenoiseReport, path: Path) -> None:
    """Write a report, complete or not at all: CSV if the name ends so, else JSON."""
    if path.suffix.lower() == ".csv":
        replace_text(path, _as_csv(report))
        return
    text = json.dumps(report.to_dict(), indent=1, allow_nan=False)
    replace_text(path, text + "\n")


def _as_csv(report: DenoiseReport) -> str:
    """Return a table with one row per plane; a file without planes has one row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_COLUMNS, *_PLANE_COLUMNS], lineterminator="\n")
    writer.writeheader()
    for file in report.to_dict()["files"]:
        for plane in file["planes"] or [{"index": {}}]:
            row = {name: file.get(name) for name in _COLUMNS} | plane["index"]
            row["notes"] = " ".join(file["notes"])
            row |= {name: plane.get(name) for name in _PLANE_COLUMNS}
            writer.writerow(row)
    return text.getvalue()


def replace_text(path: Path, text: str) -> None:
    """Write a text file, complete or not at all.

    Names of files that are not of Unicode become escape sequences.
    """
    content = text.encode("utf-8", errors="backslashreplace")
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
