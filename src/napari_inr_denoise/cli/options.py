"""Options of the commands: their names, types and help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from napari_inr_denoise.core.settings import MODES, PRESETS

_Function = TypeVar("_Function", bound=Callable[..., Any])


def fit_options(command: _Function) -> _Function:
    """Add the options of every command that fits."""
    for option in (
        click.option("--seed", default=0, show_default=True, help="Random seed."),
        click.option(
            "--device",
            default="auto",
            show_default=True,
            help="auto, cpu, cuda, cuda:1 (a second GPU), mps.",
        ),
        click.option(
            "--preset",
            type=click.Choice(list(PRESETS)),
            default="auto",
            show_default=True,
            help="fast: a look in seconds; auto: the best quality for its time; best: "
            "slightly better, in minutes; paper: the published method.",
        ),
    ):
        command = option(command)
    return command


def run_options(command: _Function) -> _Function:
    """Add the arguments and options of `inr-denoise run`."""
    for option in reversed(_RUN):
        command = option(command)
    return command


def _names(_context: click.Context, _option: click.Parameter, text: str) -> list[str]:
    """Split a comma-separated list; each name is kept once."""
    names = (name.strip() for name in text.split(","))
    return [name for name in dict.fromkeys(names) if name]


def _levels(_context: click.Context, _option: click.Parameter, text: str) -> int | str:
    """Return a number of levels as such; `RunOptions` checks it."""
    return int(text) if text.isdecimal() else text


def image_options(*, several: bool) -> Callable[[_Function], _Function]:
    """Return a decorator with the options of every command that reads files.

    Parameters
    ----------
    several : bool
        Whether the command takes several images.
    """
    choice = "its name, or its number from 0. Without it: the main image."
    if several:
        choice = (
            "its name, its number from 0, or all. Without it: all in folders and "
            "patterns, the main one of a file that is named."
        )
    options = (
        click.option(
            "--incomplete",
            is_flag=True,
            help="Take what is there of a file or set that is cut short, or lacks "
            "planes, chunks or files; the rest is NaN, or 0 for integers.",
        ),
        click.option(
            "--series",
            metavar="NAME|NUMBER|all" if several else "NAME|NUMBER",
            help="Image to take of a file with several (positions, fields of a plate): "
            f"{choice}",
        ),
    )

    def decorate(command: _Function) -> _Function:
        for option in options:
            command = option(command)
        return command

    return decorate


_RUN: tuple[Callable[[Any], Any], ...] = (
    click.argument("inputs", nargs=-1, required=True, metavar="INPUT..."),
    click.option(
        "--out",
        type=click.Path(path_type=Path, file_okay=False),
        required=True,
        help="Folder of the results; created if needed.",
    ),
    fit_options,
    click.option(
        "--axes",
        help="Axes of every file, such as TZYX, if those in the files are wrong.",
    ),
    image_options(several=True),
    click.option(
        "--mode",
        type=click.Choice(list(MODES)),
        default="plane",
        show_default=True,
        help="plane: planes, using what they share; volume: z stacks, also by filters "
        "in 3D and with a function of (z, y, x), usually with the same or a smaller "
        "error, in about twice the time. With the preset paper the function alone.",
    ),
    click.option(
        "--strength",
        type=click.FloatRange(-1.0, 1.0),
        default=0.0,
        show_default=True,
        help="Less (to -1, the input) or more (to 1) denoising than the best "
        "estimate, 0.",
    ),
    click.option(
        "--memory",
        type=float,
        metavar="GB",
        show_default="2",
        help="Memory limit; planes that need more, or have more than 1024x1024 pixels, "
        "are cut into tiles.",
    ),
    click.option(
        "--dtype",
        type=click.Choice(["same", "float32"]),
        default="float32",
        show_default=True,
        help="Data type of the results; same: that of the input, rounded and clipped.",
    ),
    click.option(
        "--maps",
        metavar="NAMES",
        default="",
        callback=_names,
        help="Also write maps, as <name>.inr.<map>. NAMES is a comma-separated list of "
        "uncertainty, residual, normalized_residual, structured.",
    ),
    click.option(
        "--levels",
        metavar="auto|N",
        default="1",
        show_default=True,
        callback=_levels,
        help="Resolution levels of each OME-Zarr that is written, with the full one; "
        "auto: halve Y and X until a plane has at most 256x256 pixels.",
    ),
    click.option(
        "--isotropic",
        is_flag=True,
        help="With --mode volume: also write <name>.inr.interpolated, with voxels as "
        "deep as they are wide.",
    ),
    click.option(
        "--zoom",
        type=click.IntRange(min=1),
        default=1,
        show_default=True,
        help="With --mode volume: the same, with this factor more pixels in Y and X.",
    ),
    click.option(
        "--overwrite",
        is_flag=True,
        help="Denoise again what is done, and replace files of other programs and "
        "results of other sources.",
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Print estimates of time and memory, and denoise nothing.",
    ),
    click.option(
        "--settings",
        "settings_file",
        type=click.Path(path_type=Path, dir_okay=False, exists=True),
        help="Settings saved as JSON, instead of a preset; --seed, --device, "
        "--mode, --strength and --memory override them.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Denoise N files at a time, in processes that share the cores.",
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Denoise on the workers of a running dask cluster.",
    ),
)
