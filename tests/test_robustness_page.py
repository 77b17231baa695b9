"""The pages about faults and formats name tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "pages"
HEADERS = ("| Fault |", "| format |", "| stated in the file |", "| case |", "| what |")


def _tests_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("page", "least"), [("robustness", 40), ("formats", 30)])
def test_every_row_names_a_test_that_is_there(page: str, least: int) -> None:
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    faults = [row for row in rows if not row.startswith(HEADERS)]
    named = [re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row) for row in faults]
    assert len(faults) > least
    assert [row for row, found in zip(faults, named, strict=True) if not found] == []
    missing = [
        f"{file}::{name}"
        for found in named
        for file, name in found
        if not (ROOT / file).is_file() or name not in _tests_in(ROOT / file)
    ]
    assert missing == []
