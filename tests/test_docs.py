"""The pages say what the program does: their code runs, and no field is forgotten."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path
from runpy import run_path

import pytest

from napari_inr_denoise.core import settings as settings_module
from napari_inr_denoise.core.report.report import PLANE_FIELDS, FileReport
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.stop_rules import StopRules
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.core.report.warning import PlaneWarning
from tests.doc_blocks import IN_A_WINDOW, PAGES, ROOT, blocks_of, run_page

NOT_RUN = {
    "README.md": 2,
    "cluster.md": 3,
    "comparison.md": 1,
    "contributing.md": 4,
    "install.md": 7,
    "tutorial.md": 1,
}
"""Blocks of a page that are not run: one more has to be written down here."""


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name not in IN_A_WINDOW],
    ids=lambda page: page.name,
)
def test_the_blocks_of_a_page_run(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, preset in settings_module.PRESETS.items():
        quick = replace(preset, n_augmentations=2)
        quick = replace(quick, max_steps=40, window_steps=10, attention_steps=5)
        quick = replace(quick, width=64, window_width=32, attention_width=8)
        monkeypatch.setitem(settings_module.PRESETS, name, quick)
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


def test_the_page_on_reports_has_every_field_and_sentence() -> None:
    text = (ROOT / "docs" / "pages" / "report.md").read_text("utf-8")
    names = {item.name for item in fields(FileReport)} | set(PLANE_FIELDS)
    assert {name for name in names if f"`{name}`" not in text} == set()
    for told in (*StopReason, *StopRules, *Verdict, *PlaneWarning):
        assert f"| `{told.value}` | {told.sentence} |" in text


def test_the_page_on_architecture_names_every_package() -> None:
    rooms, *_ = blocks_of(ROOT / "docs" / "pages" / "architecture.md")
    told = set(re.findall(r"\w+", rooms.text))
    package = ROOT / "src" / "napari_inr_denoise"
    found = {path.parent.name for path in package.rglob("__init__.py")}
    assert found - told == {"napari_inr_denoise"}


def test_the_pages_on_the_code_name_files_that_exist() -> None:
    package = ROOT / "src" / "napari_inr_denoise"
    pages = ROOT / "docs" / "pages"
    others = (
        pages / f"{name}.md"
        for name in ("architecture", "decisions", "formulas", "security")
    )
    for page in (*others, *pages.glob("method*.md")):
        text = page.read_text("utf-8")
        for name in re.findall(
            r"(?<!/)\b((?:core|io|image|batch|plugin)/[\w/]+\.py)", text
        ):
            assert (package / name).is_file(), f"{page.name}: {name}"


def test_the_page_on_commands_is_that_of_the_program() -> None:
    script = ROOT / "docs" / "scripts" / "commands.py"
    written = (ROOT / "docs" / "pages" / "commands.md").read_text("utf-8")
    assert written == run_path(str(script))["page"](), f"run: python {script}"


def test_the_tests_that_the_page_on_security_names_are_there() -> None:
    text = (ROOT / "docs" / "pages" / "security.md").read_text("utf-8")
    modules = sorted((ROOT / "tests").rglob("test_*.py"))
    code = "".join(path.read_text("utf-8") for path in modules)
    names = set(re.findall(r"`(test_\w+)`", text))
    assert names
    assert {name for name in names if f"def {name}(" not in code} == set()
    files = set(re.findall(r"`(tests/[\w/]+\.py)`", text))
    assert {name for name in files if not (ROOT / name).is_file()} == set()
