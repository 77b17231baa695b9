"""Write the page on the command line out of the commands themselves.

Run from the top of the repository:

    python docs/scripts/commands.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from napari_inr_denoise.cli.main import main as program

PAGE = Path("docs/pages/commands.md")
_HEAD = """# Commands

Written by `docs/scripts/commands.py`. How they behave, and the exit codes:
[Reference](reference.md#command-line); examples: [Quick start](tutorial.md).
"""


def page() -> str:
    """Return the page: each command with its options."""
    return _HEAD + "".join(
        _section(name, command) for name, command in sorted(program.commands.items())
    )


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=f"inr-denoise {name}")
    usage = command.get_usage(context).removeprefix("Usage: ")
    usage = " ".join(usage.split())
    rows = "".join(_rows(command, context))
    table = f"\n| option | what | default |\n|---|---|---|\n{rows}" if rows else ""
    help_text = _text(command.help)
    return f"\n## {name}\n\n`{usage}`\n\n{help_text}\n{table}"


def _rows(command: click.Command, context: click.Context) -> Iterator[str]:
    for option in command.params:
        record = option.get_help_record(context)
        if record is None or not isinstance(option, click.Option):
            continue
        said = option.show_default  # words, if the default depends on something
        shown = said if isinstance(said, str) else option.default if said else ""
        default = f"`{shown}`" if shown != "" else ""
        name = record[0].replace("|", "/")  # would end the table's cell
        yield f"| `{name}` | {_text(option.help or '')} | {default} |\n"


def _text(words: str | None) -> str:
    """Return words in which <name> is no HTML."""
    return " ".join((words or "").split()).replace("<", "&lt;")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
