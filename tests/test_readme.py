"""README begins with a picture and its two commands; test_docs.py runs its blocks."""

from __future__ import annotations

import re

from tests.doc_blocks import ROOT, blocks_of

README = ROOT / "README.md"
COMMANDS = [
    'python -m pip install ".[all]" && inr-denoise demo',
    'python -m pip install ".[all,test]" && python -m pytest',
]


def test_it_starts_with_one_picture_and_the_two_commands() -> None:
    text = README.read_text("utf-8")
    picture = re.search(r"!\[[^\]]+\]\((docs/pictures/[^)]+)\)", text)
    assert picture is not None
    assert (ROOT / picture.group(1)).is_file()
    assert [block.text.strip() for block in blocks_of(README)[:2]] == COMMANDS
    assert text.index("![") < text.index("```")


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text("utf-8")):
        assert (ROOT / target).is_file(), target
