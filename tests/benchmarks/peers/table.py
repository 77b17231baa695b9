"""The tables of the peers as Markdown, from the rows that were measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from textwrap import shorten

import numpy as np

from tests.benchmarks.peers.catalogue import METHODS
from tests.benchmarks.peers.store import Row

_LONGEST = 120
"""Characters of a message that are shown."""
_IMAGES = {
    "Confocal_FISH/1": "confocal, FISH 1",
    "WideField_BPAE_G/1": "wide-field, BPAE G 1",
    "TwoPhoton_MICE/1": "two-photon, MICE 1",
    "01, gaussian:25": "photograph 01",
    "vesicules924x924, poisson:30": "micrograph, vesicules",
    "plane 15, poisson-gaussian:20:2": "pollen, plane 15",
}
"""Names of the images of the page; others are shown by their own."""
_NO_NETWORK = "urlopen error", "its weights could not be downloaded"
"""Part of a message, and what it means."""
_REFERENCES = {"noisy": "noisy", "blur": "blur, width picked with the truth"}


def quality_table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table: PSNR of each method, a column for each image.

    The best method of a column is in bold; "-" stands for what was not measured.
    Methods without any result are left out: `cost_table` says why.
    """
    images = list(dict.fromkeys((row.group, row.image) for row in rows))
    found = {
        (row.method, row.group, row.image): f"{row.psnr:.2f}"
        for row in rows
        if row.psnr is not None
    }
    methods = [name for name in _methods_of(rows) if any(name == k[0] for k in found)]
    best = {
        place: max((found.get((name, *place), "") for name in METHODS), key=_number)
        for place in images
    }
    # Without signs that join words, so that they wrap.
    heads = (_IMAGES.get(image, re.sub(r"[_/:]+", " ", image)) for _, image in images)
    yield f"| method | {' | '.join(heads)} |"
    yield f"|---|{'---|' * len(images)}"
    for method in methods:
        cells = [found.get((method, *place), "-") for place in images]
        marked = [
            f"**{cell}**" if cell == best[place] and method in METHODS else cell
            for cell, place in zip(cells, images, strict=True)
        ]
        yield f"| {_label(method)} | {' | '.join(marked)} |"


def _number(cell: str) -> float:
    return float(cell or "-inf")


def mean_table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table: mean PSNR (SSIM) of each method on whole groups.

    The best method of a column is in bold; "-" stands for a group of which a method was
    not measured on every image.
    """
    groups = {
        group: {row.image for row in rows if row.group == group}
        for group in dict.fromkeys(row.group for row in rows)
    }
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for method in _methods_of(rows):
        for group, images in groups.items():
            mine = [
                (row.psnr, row.ssim)
                for row in rows
                if (row.method, row.group) == (method, group) and row.psnr is not None
            ]
            if len(mine) == len(images):
                psnr, ssim = np.mean(mine, axis=0)
                found[method, group] = float(psnr), float(ssim)
    heads = (f"{group} ({len(images)})" for group, images in groups.items())
    yield f"| method | {' | '.join(heads)} |"
    yield f"|---|{'---|' * len(groups)}"
    for method in dict.fromkeys(method for method, _ in found):
        cells = []
        for group in groups:
            best = max(pair for (name, of), pair in found.items() if of == group)
            pair = found.get((method, group))
            mark = "**" if pair == best else ""
            text = f"{mark}{pair[0]:.2f}{mark} ({pair[1]:.3f})" if pair else "-"
            cells.append(text)
        yield f"| {_label(method)} | {' | '.join(cells)} |"


def cost_table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of a table: time, memory, and what a user needs to know."""
    yield "| method | CPU s an image, median (most) | peak memory | needs as input |"
    yield "|---|---|---|---|"
    for method in _methods_of(rows):
        if method in _REFERENCES:
            continue
        mine = [row for row in rows if row.method == method and row.psnr is not None]
        told = METHODS[method].told
        if not mine:
            note = next(row.note for row in rows if row.method == method)
            why = shorten(note, _LONGEST, placeholder=" ...")
            why = _NO_NETWORK[1] if _NO_NETWORK[0] in note else why
            yield f"| {_label(method)} | no result: {why} | - | {told} |"
            continue
        seconds = [row.cpu_seconds or 0.0 for row in mine]
        peak = max(row.peak_mb or 0.0 for row in mine) / 1000
        yield (
            f"| {_label(method)} | {np.median(seconds):.3g} ({max(seconds):.3g}) "
            f"| {peak:.2f} GB | {told} |"
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
