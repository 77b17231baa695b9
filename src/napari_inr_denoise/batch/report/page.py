"""report.html: one page on a run that stands by itself, what stands out first."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from importlib.resources import files as package_files
from pathlib import Path
from string import Template

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
from napari_inr_denoise.core.report.report import DenoiseReport, FileReport, PlaneReport
from napari_inr_denoise.core.report.verdict import Verdict

PAGE_NAME = "report.html"
_UNKNOWN = "&ndash;"
_COLUMNS = (
    *("File", "Before", "After", "Residual / noise", "Verdict"),
    *("Expected error", "Mean intensity", "Time"),
)
_WIDTHS = '<col class="name"><col class="picture" span="2"><col span="5">'
_SHORT_VERDICTS = {
    Verdict.NOISE_ONLY.value: "noise only",
    Verdict.STRUCTURE.value: "more than noise",
    Verdict.CORRELATED.value: "correlated noise",
}


@dataclass(frozen=True)
class _Entry:
    """A file with the plane that speaks for it, and what stands out."""

    number: int
    file: FileReport
    plane: PlaneReport | None
    oddities: tuple[Oddity, ...]
    thumbnails: Thumbnails | None

    @property
    def weight(self) -> tuple[bool, float]:
        """How far up the page it belongs."""
        return self.file.status == "failed", sum(o.weight for o in self.oddities)


def write_page(
    report: DenoiseReport, pictures: Sequence[Thumbnails | None], folder: Path
) -> None:
    """Write the page, complete or not at all.

    Parameters
    ----------
    report : DenoiseReport
        The run.
    pictures : sequence of Thumbnails or None
        One for each file of the report.
    folder : Path
        Created if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    replace_text(folder / PAGE_NAME, page(report, pictures))


def page(report: DenoiseReport, pictures: Sequence[Thumbnails | None]) -> str:
    """Return the page as HTML without any external resource.

    Parameters
    ----------
    report : DenoiseReport
        The run.
    pictures : sequence of Thumbnails or None
        One for each file of the report.
    """
    entries = list(_entries(report.files, pictures))
    odd = [entry for entry in entries if any(entry.weight)]
    odd.sort(key=lambda entry: entry.weight, reverse=True)
    rest = [entry for entry in entries if not any(entry.weight)]
    template = package_files("napari_inr_denoise.batch.report").joinpath("page.html")
    return Template(template.read_text("utf-8")).substitute(
        heading=escape(_heading(report.files, odd)),
        about=escape(_about(report)),
        side=SIDE,
        odd=_section("Look at these first", odd),
        rest=_section("Nothing stands out" if odd else "All files", rest),
    )


def _entries(
    files: Sequence[FileReport], pictures: Sequence[Thumbnails | None]
) -> Iterator[_Entry]:
    unusual = unusual_ratios(files)
    for number, (file, picture) in enumerate(zip(files, pictures, strict=True)):
        chosen = worst_plane(file)
        plane = None if chosen is None else file.planes[chosen]
        found = [] if plane is None else oddities_of(plane)
        if number in unusual:
            found.append(unusual[number])
        yield _Entry(number, file, plane, tuple(found), picture)


def _heading(files: Sequence[FileReport], odd: Sequence[_Entry]) -> str:
    states = [file.status for file in files]
    before = sum(file.status == "skipped" and bool(file.planes) for file in files)
    counted = {
        "denoised": states.count("done"),
        "done before": before,
        "parts of others": states.count("skipped") - before,
        "failed": states.count("failed"),
        "to look at": len(odd) - states.count("failed"),
    }
    told = ", ".join(f"{count} {name}" for name, count in counted.items() if count)
    return f"{len(files)} files: {told}" if files else "No files"


def _about(report: DenoiseReport) -> str:
    now = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    spent = sum(f.seconds or 0.0 for f in report.files if f.status == "done")
    settings = report.settings
    return (
        f"napari-inr-denoise {report.version}, preset {settings.preset}, seed "
        f"{settings.seed}, mode {settings.mode}; {_time(spent)} of work; {now}"
    )


def _section(title: str, entries: Iterable[_Entry]) -> str:
    rows = "\n".join(_row(entry) for entry in entries)
    if not rows:
        return ""
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
    return (
        f"<h2>{title}</h2>\n<table>{_WIDTHS}<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{rows}\n</tbody></table>"
    )


def _row(entry: _Entry) -> str:
    """Return a file's row; one without a result has its cause instead of numbers."""
    file, plane = entry.file, entry.plane
    if file.status == "skipped" and plane is None:
        why = escape(" ".join(file.notes))
        return f'<tr class="plain">{_name(entry)}<td colspan="7">{why}</td></tr>'
    if file.status == "failed" or plane is None:
        cause = str(file.error or "There is no plane in it.")
        cause = escape(cause.removeprefix(f"{file.source}: "))
        return (
            f'<tr class="{escape(file.status)}">{_name(entry)}'
            f'<td colspan="7"><strong>Failed.</strong> {cause}</td></tr>'
        )
    cells = (
        _name(entry),
        *_pictures(entry.thumbnails),
        _cell(_number(residual_ratio(plane), ".2f"), "number"),
        _verdict(plane),
        _cell(_error(plane), "number"),
        _cell(_number(mean_change(plane), "+.2%"), "number"),
        _cell(_time(file.seconds), "number"),
    )
    kind = "odd" if entry.oddities else "plain"
    return f'<tr class="{kind}">{"".join(cells)}</tr>'


def _name(entry: _Entry) -> str:
    """Return name, folder, size, and what stands out, in sentences."""
    file = entry.file
    path = Path(file.source or "")
    told = [f"<strong>{escape(path.name)}</strong>"]
    told.append(f"<small>{escape(str(path.parent))}</small>")
    if file.shape is not None:
        told.append(f"<small>{escape(_size(file))}</small>")
    if file.status == "skipped" and file.planes:
        told.append("<small>Done before and unchanged.</small>")
    told += (f'<em class="why">{escape(o.words)}</em>' for o in entry.oddities)
    return f'<th scope="row">{"".join(told)}</th>'


def _size(file: FileReport) -> str:
    sizes = zip(file.axes or "", file.shape or (), strict=True)
    told = [" \u00d7 ".join(f"{a} {n}" for a, n in sizes), str(file.dtype)]
    if len(file.planes) > 1:
        told.insert(1, f"{len(file.planes)} planes")
    return ", ".join(told)


def _pictures(pair: Thumbnails | None) -> tuple[str, str]:
    if pair is None:
        return _cell(_UNKNOWN, ""), _cell(_UNKNOWN, "")
    place = f"<small>{escape(pair.place)}</small>"
    return (
        f'<td class="picture">{_image(pair.before, "before")}{place}</td>',
        f'<td class="picture">{_image(pair.after, "after")}</td>',
    )


def _image(png: bytes, what: str) -> str:
    data = b64encode(png).decode("ascii")
    return f'<img alt="{what}" src="data:image/png;base64,{data}">'


def _verdict(plane: PlaneReport) -> str:
    if plane.verdict is None:
        return _cell(_UNKNOWN, "")
    sentence = escape(Verdict(plane.verdict).sentence, quote=True)
    return f'<td title="{sentence}">{_SHORT_VERDICTS[plane.verdict]}</td>'


def _error(plane: PlaneReport) -> str:
    """Return the expected error, and what it is of the noise that was there."""
    error = plane.held_out_error
    if error is None:
        return _UNKNOWN
    share = f"<small>noise {plane.sigma:.3g}</small>" if plane.sigma else ""
    return f"{error:.3g}{share}"


def _cell(html: str, kind: str) -> str:
    return f'<td class="{kind}">{html}</td>'


def _number(value: float | None, form: str) -> str:
    return _UNKNOWN if value is None else format(value, form)


def _time(seconds: float | None) -> str:
    return _UNKNOWN if seconds is None else short_duration(seconds)
