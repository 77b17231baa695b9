"""The tables of the peers as Markdown, from the rows that were measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tests.benchmarks.peers.cases import GROUPS
from tests.benchmarks.peers.catalogue import METHODS
from tests.benchmarks.peers.store import Row

_REFERENCES = {"noisy": "noisy", "blur": "blur, width picked with the truth"}


def quality_table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table: mean PSNR and SSIM of each method and group.

    A mean is over the images that all methods with a result have. It is in bold for the
    best method.
    """
    groups = [name for name in GROUPS if any(row.group == name for row in rows)]
    methods = _methods_of(rows)
    counts = {
        name: len({row.image for row in rows if row.group == name}) for name in groups
    }
    heads = [f"{name} ({counts[name]})" for name in groups]
    yield f"| method | {' | '.join(heads)} |"
    yield f"|---|{'---|' * len(groups)}"
    means = {
        (method, group): _mean(rows, method, group, counts[group])
        for method in methods
        for group in groups
    }
    for method in methods:
        cells = [_cell(means, method, group) for group in groups]
        yield f"| {_label(method)} | {' | '.join(cells)} |"


def cost_table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table: time, memory, and what a user needs to know."""
    yield "| method | CPU s an image, median (most) | peak memory | needed to be told |"
    yield "|---|---|---|---|"
    for method in _methods_of(rows):
        if method in _REFERENCES:
            continue
        mine = [row for row in rows if row.method == method and row.psnr is not None]
        told = METHODS[method].told
        if not mine:
            note = next(row.note for row in rows if row.method == method)
            yield f"| {_label(method)} | no result: {note} | - | {told} |"
            continue
        seconds = [row.cpu_seconds or 0.0 for row in mine]
        peak = max(row.peak_mb or 0.0 for row in mine) / 1000
        yield (
            f"| {_label(method)} | {np.median(seconds):.3g} ({max(seconds):.3g}) "
            f"| {peak:.1f} GB | {told} |"
        )


def image_table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table: PSNR, SSIM, CPU seconds of each image and method."""
    yield "| image | method | PSNR dB | SSIM | CPU s | peak GB | note |"
    yield "|---|---|---|---|---|---|---|"
    for row in rows:
        start = f"| {row.image} | {_label(row.method)} |"
        if row.psnr is None or row.ssim is None:
            yield f"{start} - | - | - | - | {row.note} |"
            continue
        seconds = "-" if row.cpu_seconds is None else f"{row.cpu_seconds:.1f}"
        peak = "-" if row.peak_mb is None else f"{row.peak_mb / 1000:.2f}"
        quality = f"{row.psnr:.2f} | {row.ssim:.3f}"
        yield f"{start} {quality} | {seconds} | {peak} | {row.note} |"


def _methods_of(rows: Sequence[Row]) -> list[str]:
    measured = {row.method for row in rows}
    return [name for name in (*_REFERENCES, *METHODS) if name in measured]


def _label(method: str) -> str:
    return _REFERENCES.get(method) or METHODS[method].label


def _mean(
    rows: Sequence[Row], method: str, group: str, count: int
) -> tuple[float, float] | None:
    """Return mean PSNR and SSIM; None unless every image of the group has a result."""
    found = [
        (row.psnr, row.ssim)
        for row in rows
        if (row.method, row.group) == (method, group)
        and row.psnr is not None
        and row.ssim is not None
    ]
    if len(found) < count:
        return None
    return float(np.mean([p for p, _ in found])), float(np.mean([s for _, s in found]))


def _cell(
    means: dict[tuple[str, str], tuple[float, float] | None], method: str, group: str
) -> str:
    mean = means[method, group]
    if mean is None:
        return "-"
    others = [
        found[0]
        for (name, kind), found in means.items()
        if found and kind == group and name not in _REFERENCES
    ]
    db = f"{mean[0]:.2f}"
    best = method not in _REFERENCES and mean[0] >= max(others)
    return f"{f'**{db}**' if best else db}, {mean[1]:.3f}"
