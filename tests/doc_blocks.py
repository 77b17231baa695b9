"""The code blocks of a Markdown page, and how they are run as its reader would."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from napari_inr_denoise import write_image
from napari_inr_denoise.cli.main import main
from napari_inr_denoise.io.record import ImageRecord
from napari_inr_denoise.samples import Sample, field_of_cells, small_stack

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "pages").glob("*.md")),
]
IN_A_WINDOW = {"scripting.md"}
"""Pages whose blocks have a viewer: they are run with the tests of the plugin."""
_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^>]+?) -->\n\n?)?"
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block; `not_run` says why it cannot be run, and is empty if it can."""

    language: str
    text: str
    not_run: str


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page in their order."""
    return [
        Block(found["language"], found["text"], found["reason"] or "")
        for found in _BLOCK.finditer(page.read_text("utf-8"))
    ]


def run_page(page: Path, **known: object) -> dict[str, Any]:
    """Run a page's blocks in order in the current folder.

    Python blocks share their names, as in a notebook. Commands find a folder
    `images` with two small files, and what the commands before them have written.

    Parameters
    ----------
    page : Path
        The page.
    known
        Names that its Python blocks have from the beginning.

    Returns
    -------
    dict
        All names in the end.
    """
    _write_images(Path("images"))
    names: dict[str, Any] = {"__name__": "__main__", **known}
    for block in blocks_of(page):
        if block.not_run:
            continue
        if block.language == "python":
            exec(compile(block.text, page.name, "exec"), names)
        elif block.language == "console":
            for line in _lines(block.text):
                _run_command(line)
        elif block.language == "json":
            json.loads(block.text)
    return names


def _lines(text: str) -> list[str]:
    """Return commands; one that ends in a backslash goes on in the next line."""
    return text.replace("\\\n", " ").strip().splitlines()


def _run_command(line: str) -> None:
    program, *arguments = shlex.split(line)
    assert program == "inr-denoise", f"cannot run {line!r}; mark its block as not run"
    outcome = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0, f"{line}\n{outcome.output}"


def _write_images(folder: Path) -> None:
    folder.mkdir()
    samples = {
        "cells": field_of_cells(side=32),
        "stack": small_stack(planes=3, side=16),
    }
    for name, sample in samples.items():
        write_image(folder / f"{name}.ome.tif", _record(sample))


def _record(sample: Sample) -> ImageRecord:
    return ImageRecord(sample.noisy, sample.axes, sample.spacing_um)
