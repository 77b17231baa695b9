"""Commands whose help has sections and examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import click

_OTHER = "Other options"
_FIRST_STEPS = (
    "inr-denoise demo",
    "inr-denoise noise cells.tif",
    "inr-denoise run images/ --out denoised",
)


class SectionedCommand(click.Command):
    """A command that shows its options in sections, and examples first.

    Attributes
    ----------
    sections : mapping of str to sequence of str
        Names of parameters by the title of their section.
    examples : sequence of str
        Command lines, with what they do behind a "#".
    """

    sections: ClassVar[Mapping[str, Sequence[str]]] = {}
    examples: ClassVar[Sequence[str]] = ()

    def format_help_text(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write what the command does, and the examples."""
        super().format_help_text(ctx, formatter)
        _write_examples(formatter, self.examples)

    def format_options(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write the options, one section after the other."""
        records = {
            str(one.name): record
            for one in self.get_params(ctx)
            # An argument is in the usage; since click 8.4 it has an empty row too.
            if isinstance(one, click.Option)
            and (record := one.get_help_record(ctx)) is not None
        }
        named = {name for names in self.sections.values() for name in names}
        rest = [name for name in records if name not in named]
        title = _OTHER if self.sections else "Options"
        for heading, names in (*self.sections.items(), (title, rest)):
            shown = [records[name] for name in names if name in records]
            if shown:
                with formatter.section(heading):
                    formatter.write_dl(shown)


def _write_examples(formatter: click.HelpFormatter, examples: Sequence[str]) -> None:
    if examples:
        with formatter.section("Examples"):
            for example in examples:
                formatter.write(f"{' ' * formatter.current_indent}{example}\n")


class SectionedGroup(click.Group):
    """The commands, and examples first."""

    def format_help_text(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """Write what the program does, and the examples."""
        super().format_help_text(ctx, formatter)
        _write_examples(formatter, _FIRST_STEPS)


class RunCommand(SectionedCommand):
    """The command run."""

    sections: ClassVar[Mapping[str, Sequence[str]]] = {
        "Method": ("preset", "mode", "strength", "seed", "settings_file"),
        "Input": ("axes", "series", "incomplete"),
        "Output": (
            *("out", "dtype", "maps", "levels", "isotropic", "zoom", "overwrite"),
        ),
        "Computing": ("device", "memory", "workers", "scheduler", "dry_run"),
    }
    examples = (
        "inr-denoise run cells.tif --out denoised",
        "inr-denoise run images/ --out denoised --preset fast",
        'inr-denoise run "plate/*.ome.tif" --out denoised --workers 4',
        "inr-denoise run stack.tif --out denoised --mode volume --dry-run",
    )


class NoiseCommand(SectionedCommand):
    """The command noise."""

    examples = (
        "inr-denoise noise cells.tif",
        "inr-denoise noise stack.tif --axes ZYX --json > noise.json",
    )


class DemoCommand(SectionedCommand):
    """The command demo."""

    examples = ("inr-denoise demo", "inr-denoise demo --gui --preset fast")
