"""Every code block of the README runs, and its two commands are the promised ones."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
COMMANDS = [
    'python -m pip install ".[all]" && inr-denoise demo',
    'python -m pip install ".[all,test]" && python -m pytest',
]
_CONSOLE = [text for kind, text in BLOCKS if kind == "console"]


def test_it_starts_with_one_picture_and_the_two_commands() -> None:
    text = README.read_text("utf-8")
    picture = re.search(r"!\[[^\]]+\]\((docs/pictures/[^)]+)\)", text)
    assert picture is not None
    assert (README.parent / picture.group(1)).is_file()
    assert [block.strip() for block in _CONSOLE[:2]] == COMMANDS
    assert text.index("![") < text.index("```")


def test_there_is_nothing_but_python_and_console_blocks() -> None:
    assert {kind for kind, _ in BLOCKS} == {"python", "console"}


@pytest.mark.parametrize("code", [text for kind, text in BLOCKS if kind == "python"])
def test_python_blocks_run(code: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def test_console_blocks_run(tmp_path: Path) -> None:
    """All but the two installations, in order, as a user would in one folder."""
    lines = [line for block in _CONSOLE[2:] for line in block.strip().splitlines()]
    assert lines
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "inr-denoise"
        command = [sys.executable, "-m", "napari_inr_denoise", *arguments]
        subprocess.run(command, cwd=tmp_path, check=True)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((docs/[^)]+)\)", README.read_text("utf-8")):
        assert (README.parent / target).is_file(), target
