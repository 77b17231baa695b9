"""report.html: one page on a run, without external resources.

The files that stand out come first. This module prepares the values; the HTML is in
the template `page.html`.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from napari_inr_denoise.batch.report.files import replace_text
from napari_inr_denoise.batch.report.outliers import (
    Oddity,
    mean_change,
    oddities_of,
    residual_ratio,
    unusual_ratios,
    worst_plane,
)
from napari_inr_denoise.batch.report.thumbnails import SIDE, Thumbnails
from napari_inr_denoise.core.report.duration import short_duration
from napari_inr_denoise.core.report.numbers import in_digits
from napari_inr_denoise.core.report.report import DenoiseReport, FileReport, PlaneReport
from napari_inr_denoise.core.report.verdict import Verdict

PAGE_NAME = "report.html"
_SCRIPT = """
for (const head of document.querySelectorAll("th button")) {
  head.addEventListener("click", () => {
    const cell = head.closest("th"), body = head.closest("table").tBodies[0];
    const down = cell.getAttribute("aria-sort") === "ascending";
    const key = (row) => row.cells[cell.cellIndex]?.dataset.key ?? "";
    const rows = [...body.rows].sort((one, other) => {
      const [a, b] = [key(one), key(other)];
      if (a === "" || b === "") return (a === "") - (b === "");
      const order = isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b;
      return down ? -order : order;
    });
    for (const other of head.closest("tr").cells) other.removeAttribute("aria-sort");
    cell.setAttribute("aria-sort", down ? "descending" : "ascending");
    body.append(...rows);
  });
}
"""
"""Sorts a table by the column whose heading is clicked; empty cells come last."""
_INCOMPLETE_WEIGHT = 4.0
_NONE = "\u2013"


@dataclass(frozen=True)
class _Row:
    """A file, the plane whose numbers are shown, and what stands out."""

    file: FileReport
    plane: PlaneReport | None
    findings: tuple[Oddity, ...]
    thumbnails: Thumbnails | None
    folder: Path | None

    @property
    def link(self) -> str:
        """Address of the result, relative to the page; empty if there is none."""
        if self.folder is None or not self.file.output or self.file.status == "failed":
            return ""
        try:
            path = os.path.relpath(self.file.output, self.folder)
        except ValueError:  # on another drive
            return ""
        return quote(os.fsencode(path.replace(os.sep, "/")))

    @property
    def weight(self) -> tuple[bool, float]:
        """Sort key: failed files first, then by how much stands out."""
        return self.file.status == "failed", sum(one.weight for one in self.findings)

    @property
    def kind(self) -> str:
        """CSS class."""
        if self.plane is None and self.file.status == "skipped":
            return "plain"
        if self.plane is None or self.file.status == "failed":
            return self.file.status
        return "odd" if self.findings else "plain"

    @property
    def path(self) -> Path:
        """Path of the input."""
        return Path(self.file.source or "")

    @property
    def details(self) -> list[str]:
        """Size, state, and what went otherwise than asked for."""
        texts = [] if self.file.shape is None else [_size(self.file)]
        if self.file.status == "skipped" and self.file.planes:
            texts.append("Done before and unchanged.")
        return texts + (list(self.file.notes) if self.file.planes else [])

    @property
    def cause(self) -> str:
        """Why there is no result."""
        cause = str(self.file.error or "There is no plane in it.")
        return cause.removeprefix(f"{self.file.source}: ")


def write_page(
    report: DenoiseReport, pictures: Sequence[Thumbnails | None], folder: Path
) -> None:
    """Write the page, complete or not at all.

    Parameters
    ----------
    report : DenoiseReport
        Report of the run.
    pictures : sequence of Thumbnails or None
        One for each file of the report.
    folder : Path
        Folder of the page; created if needed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(folder / PAGE_NAME, page(report, pictures, folder))


def page(
    report: DenoiseReport,
    pictures: Sequence[Thumbnails | None],
    folder: Path | None = None,
) -> str:
    """Return the page as HTML without any external resource.

    Parameters
    ----------
    report : DenoiseReport
        Report of the run.
    pictures : sequence of Thumbnails or None
        One for each file of the report.
    folder : Path, optional
        Folder of the page: results are linked from there. Without it there are no
        links.
    """
    rows = list(_rows(report.files, pictures, folder))
    odd = [row for row in rows if any(row.weight)]
    odd.sort(key=lambda row: row.weight, reverse=True)
    return _template().render(
        heading=_heading(report.files, odd),
        about=_about(report),
        side=SIDE,
        script=_SCRIPT,
        script_hash=_hash_of(_SCRIPT),
        odd=odd,
        rest=[row for row in rows if not any(row.weight)],
    )


def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("napari_inr_denoise.batch", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "base64": lambda png: b64encode(png).decode("ascii"),
        "digits": lambda value: _NONE if value is None else in_digits(value),
        "duration": short_duration,
        "mean_change": mean_change,
        "number": _number,
        "residual_ratio": residual_ratio,
        "verdict": Verdict,
    }
    return environment.get_template("page.html")


def _hash_of(script: str) -> str:
    """Return the hash by which a browser knows the one script that may run."""
    return b64encode(sha256(script.encode()).digest()).decode("ascii")


def _rows(
    files: Sequence[FileReport],
    pictures: Sequence[Thumbnails | None],
    folder: Path | None,
) -> Iterator[_Row]:
    unusual = unusual_ratios(files)
    for number, (file, picture) in enumerate(zip(files, pictures, strict=True)):
        chosen = worst_plane(file)
        plane = None if chosen is None else file.planes[chosen]
        found = [] if plane is None else oddities_of(plane)
        if number in unusual:
            found.append(unusual[number])
        if file.incomplete is not None:
            found.append(Oddity(_INCOMPLETE_WEIGHT, file.incomplete))
        yield _Row(file, plane, tuple(found), picture, folder)


def _heading(files: Sequence[FileReport], odd: Sequence[_Row]) -> str:
    states = [file.status for file in files]
    skipped = [file for file in files if file.status == "skipped"]
    counted = {
        "denoised": states.count("done"),
        "done before": sum(bool(file.planes) for file in skipped),
        "missing": sum(bool(f.series and not f.planes) for f in skipped),
        "parts of others": sum(not (f.series or f.planes) for f in skipped),
        "failed": states.count("failed"),
        "to review": len(odd) - states.count("failed"),
    }
    kind = "images" if any(file.series for file in files) else "files"
    texts = ", ".join(f"{count} {name}" for name, count in counted.items() if count)
    kind = kind.removesuffix("s") if len(files) == 1 else kind
    return f"{len(files)} {kind}: {texts}" if files else "No files"


def _about(report: DenoiseReport) -> str:
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    spent = sum(f.seconds or 0.0 for f in report.files if f.status == "done")
    settings = report.settings
    strength = f", strength {settings.strength:+g}" if settings.strength else ""
    return (
        f"napari-inr-denoise {report.version}, preset {settings.preset}, seed "
        f"{settings.seed}, mode {settings.mode}{strength}; {short_duration(spent)} of "
        f"work; {now}"
    )


def _size(file: FileReport) -> str:
    sizes = zip(file.axes or "", file.shape or (), strict=True)
    texts = [" \u00d7 ".join(f"{a} {n}" for a, n in sizes), str(file.dtype)]
    if len(file.planes) > 1:
        texts.insert(1, f"{len(file.planes)} planes")
    return ", ".join(texts)


def _number(value: float | None, form: str) -> str:
    return _NONE if value is None else format(value, form)
