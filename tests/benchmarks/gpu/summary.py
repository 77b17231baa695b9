"""The figures of a run as Markdown: what is wrong first, then a table a section."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.benchmarks.gpu.place import Row

_MOST_ROWS = 20
"""Rows of a table; all are in figures.jsonl."""
_NOTES = ("section", "error", "took_s", "skipped", "wrong")


def summary(rows: Sequence[Row], sections: Sequence[str], seconds: float) -> str:
    """Return the summary of a run.

    Parameters
    ----------
    rows : sequence of Row
        All figures; each row has its section.
    sections : sequence of str
        Those that were asked for.
    seconds : float
        Duration of the whole run.
    """
    parts = [f"# On this device, {seconds:.0f} s", "\n".join(_remarks(rows, sections))]
    for name in sections:
        own = [row for row in rows if row["section"] == name]
        took = next((row["took_s"] for row in own if "took_s" in row), None)
        head = f"## {name}" + (f", {took} s" if took is not None else "")
        parts += [head, *_tables([row for row in own if not _is_note(row)])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _is_note(row: Row) -> bool:
    return all(key in _NOTES for key in row)


def _remarks(rows: Sequence[Row], sections: Sequence[str]) -> Iterator[str]:
    """Yield what failed, what is wrong, and what was left out."""
    begun = {row["section"] for row in rows}
    for name in sections:
        if name not in begun:
            yield f"- left out for want of time: {name}"
    for key, told in (("error", "FAILED"), ("wrong", "WRONG"), ("skipped", "skipped")):
        for row in rows:
            if row.get(key):
                yield f"- {told}: {row['section']}: {row[key]}"


def _tables(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a table for each kind of row, by the names of its figures."""
    kinds = dict.fromkeys(tuple(_columns(row)) for row in rows)
    for columns in kinds:
        same = [row for row in rows if tuple(_columns(row)) == columns]
        lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        lines += [
            f"| {' | '.join(_told(row[key]) for key in columns)} |"
            for row in same[:_MOST_ROWS]
        ]
        yield "\n".join(lines)


def _columns(row: Row) -> list[str]:
    return [key for key in row if key not in _NOTES]


def _told(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else str(value).replace("|", "/")
