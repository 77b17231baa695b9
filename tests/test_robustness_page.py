"""The page about faults names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "pages" / "robustness.md"


def _tests_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_fault_names_a_test_that_is_there() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    faults = [row for row in rows if not row.startswith("| Fault |")]
    named = [re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", row) for row in faults]
    assert len(faults) > 40
    assert [row for row, found in zip(faults, named, strict=True) if not found] == []
    missing = [
        f"{file}::{name}"
        for found in named
        for file, name in found
        if not (ROOT / file).is_file() or name not in _tests_in(ROOT / file)
    ]
    assert missing == []
