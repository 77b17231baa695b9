"""The help of the commands: sections, examples, and 80 letters."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from napari_inr_denoise.cli.main import main


def _call(*arguments: object) -> tuple[int, str]:
    outcome = CliRunner().invoke(main, [str(text) for text in arguments])
    return outcome.exit_code, outcome.output


def test_help_has_sections_and_examples() -> None:
    _, text = _call("run", "--help")
    places = [
        text.index(f"{one}:") for one in ("Examples", "Method", "Input", "Output")
    ]
    assert places == sorted(places)
    for option in ("--out", "--preset", "--workers", "--settings", "--help"):
        assert text.count(f"  {option} ") + text.count(f", {option} ") == 1
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("command", ["", *main.commands])
def test_each_help_fits_into_80_letters(command: str) -> None:
    _, text = _call(*filter(None, (command, "--help")))
    assert max(map(len, text.splitlines())) <= 80
    assert "..." not in text.replace("ARGS]...", "").replace("INPUT...", "")
    # An argument without words of its own has no row.
    assert not re.search(r"^ +INPUT\S*$", text, re.MULTILINE)


def test_help_is_quick_and_loads_no_torch() -> None:
    program = (
        "import sys; from napari_inr_denoise.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "assert not {'torch', 'numpy', 'tifffile', 'napari', 'dask'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
