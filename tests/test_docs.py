"""Every code block of README and of the pages runs, but for those that say why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doc_blocks import PAGES, blocks_of, run_page

NOT_RUN = {"README.md": 2, "cluster.md": 3, "contributing.md": 1}
"""Blocks of a page that are not run: one more has to be written down here."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_blocks_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run_page(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_more_blocks_are_left_out_than_are_written_down(page: Path) -> None:
    left_out = [block.text for block in blocks_of(page) if block.not_run]
    assert len(left_out) == NOT_RUN.get(page.name, 0), left_out


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_all_blocks_are_of_a_kind_that_is_run_or_is_plain_text(page: Path) -> None:
    fences = page.read_text("utf-8").count("\n```")
    blocks = blocks_of(page)
    assert fences == 2 * len(blocks)
    assert {block.language for block in blocks} <= {"python", "console", "json", "text"}
