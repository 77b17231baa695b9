"""Options of the commands: their names, types and help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from napari_inr_denoise.core.settings import MODES, PRESETS

_Function = TypeVar("_Function", bound=Callable[..., Any])


def fit_options(command: _Function) -> _Function:
    """Add the options that every command that fits has."""
    for option in (
        click.option("--seed", default=0, show_default=True, help="Random seed."),
        click.option(
            "--device", default="auto", show_default=True, help="auto, cpu, cuda, mps."
        ),
        click.option(
            "--preset",
            type=click.Choice(list(PRESETS)),
            default="auto",
            show_default=True,
            help="auto: the best result; paper: the published method; "
            "fast: a smaller network and fewer steps.",
        ),
    ):
        command = option(command)
    return command


def run_options(command: _Function) -> _Function:
    """Add what `inr-denoise run` takes."""
    for option in reversed(_RUN):
        command = option(command)
    return command


def _names(_context: click.Context, _option: click.Parameter, text: str) -> list[str]:
    """Return names that are separated by commas, each once."""
    names = (name.strip() for name in text.split(","))
    return [name for name in dict.fromkeys(names) if name]


_RUN: tuple[Callable[[Any], Any], ...] = (
    click.argument("inputs", nargs=-1, required=True, metavar="INPUT..."),
    click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        required=True,
        help="Folder of the results; created if need be.",
    ),
    fit_options,
    click.option(
        "--axes", help="Axes of every file, such as TZYX, if its own are wrong."
    ),
    click.option(
        "--mode",
        type=click.Choice(list(MODES)),
        default="plane",
        show_default=True,
        help="plane: planes, with what they share; volume: one network in (z, y, x) "
        "for each volume, the published method with a third coordinate.",
    ),
    click.option(
        "--strength",
        type=click.FloatRange(-1.0, 1.0),
        default=0.0,
        show_default=True,
        help="More (up to 1) or less (to -1, the input) denoising than the best "
        "estimate, 0.",
    ),
    click.option(
        "--memory",
        type=float,
        metavar="GB",
        help="Most memory to take; larger planes are cut into tiles.",
    ),
    click.option(
        "--dtype",
        type=click.Choice(["same", "float32"]),
        default="float32",
        show_default=True,
        help="Type of the results; same: the input's, rounded and clipped.",
    ),
    click.option(
        "--maps",
        metavar="NAMES",
        default="",
        callback=_names,
        help="Write maps as <name>.inr.<map>, too. NAMES, separated by commas: "
        "uncertainty, residual, normalized_residual.",
    ),
    click.option(
        "--isotropic",
        is_flag=True,
        help="With --mode volume: write <name>.inr.interpolated too, with voxels as "
        "deep as they are wide.",
    ),
    click.option(
        "--zoom",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="With --mode volume: the same, with so many pixels for each in Y and X.",
    ),
    click.option(
        "--overwrite",
        is_flag=True,
        help="Do again what is done, and replace files that were not written here.",
    ),
    click.option(
        "--dry-run", is_flag=True, help="Say what it will take, and denoise nothing."
    ),
    click.option(
        "--settings",
        "settings_file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="Settings saved as JSON, instead of a preset; --seed, --device, "
        "--mode, --strength and --memory still count.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Denoise N files at a time, each in a process with a share of the cores.",
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Denoise on the workers of a dask cluster that runs already.",
    ),
)
