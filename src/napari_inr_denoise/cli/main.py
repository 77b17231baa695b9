"""The command line: demo, run, noise, info.

Slow imports are inside the commands, so that --help is fast.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from napari_inr_denoise.cli.help import (
    DemoCommand,
    NoiseCommand,
    RunCommand,
    SectionedGroup,
)
from napari_inr_denoise.cli.options import fit_options, image_options, run_options
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_inr_denoise.batch.jobs import Job
    from napari_inr_denoise.batch.options import RunOptions
    from napari_inr_denoise.batch.report.writer import ReportWriter
    from napari_inr_denoise.batch.serial import BatchSteps
    from napari_inr_denoise.core.denoise import DenoiseResult
    from napari_inr_denoise.io.ome_zarr.levels import Levels

INTERRUPTED = 130


class _Group(SectionedGroup):
    """Ends with a message and exit code 130 on Ctrl-C."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - signature of click
        """Run a command."""
        # Not every name of a file can be printed: it may be of any bytes.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nInterrupted.", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="napari-inr-denoise")
def main() -> None:
    """Denoise fluorescence images without training data.

    Small networks are fitted to the noisy image itself, under a noise model that is
    measured from it. There are no pre-trained weights.
    """


@main.command(cls=DemoCommand)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("inr-denoise-demo"),
    show_default=True,
    help="Folder of the results.",
)
@click.option("--gui", is_flag=True, help="Open the results in napari.")
@fit_options
def demo(out: Path, gui: bool, preset: str, device: str, seed: int) -> None:
    """Denoise a synthetic image with known ground truth."""
    from napari_inr_denoise.cli.demo import finish_demo
    from napari_inr_denoise.cli.summary import plane_summary
    from napari_inr_denoise.samples import field_of_cells

    sample = field_of_cells()
    result = _denoise_sample(sample.noisy, _settings(preset, device, seed))
    done = finish_demo(sample, result, out)
    (file,) = done.report.files
    click.echo(plane_summary(file))
    click.echo(
        f"PSNR: {done.psnr_before:.2f} dB before, {done.psnr_after:.2f} dB after "
        f"({file.seconds:.0f} seconds, {file.device})"
    )
    names = "noisy.ome.tif, denoised.ome.tif, comparison.png, report.json"
    click.echo(f"Written to {out}: {names}")
    if gui:
        sys.exit(_open_in_napari(out / "denoised.ome.tif"))


@main.command(cls=RunCommand)
@run_options
@click.pass_context
def run(  # noqa: PLR0913, PLR0917 - one parameter per option
    context: click.Context,
    inputs: tuple[str, ...],
    out: Path,
    preset: str,
    device: str,
    seed: int,
    axes: str | None,
    series: str | None,
    incomplete: bool,
    mode: str,
    strength: float,
    memory: float | None,
    dtype: str,
    maps: list[str],
    levels: Levels,
    isotropic: bool,
    zoom: int,
    overwrite: bool,
    dry_run: bool,
    settings_file: Path | None,
    workers: int | None,
    scheduler: str | None,
) -> None:
    """Denoise files, plane by plane or volume by volume.

    INPUT is a file, a folder or a glob pattern of TIFF, OME-Zarr and PNG images, and
    of LIF, ND2 and CZI images with the extra `formats`. Each result is written to OUT
    as <name>.inr.ome.tif (.ome.zarr for a Zarr), and as <name>.<image>.inr.ome.tif if
    the file holds several images. A file that is done and unchanged is skipped; one
    that fails does not stop the others.
    """
    from napari_inr_denoise.batch.dispatch import steps_of_run
    from napari_inr_denoise.batch.interpolation import Interpolation
    from napari_inr_denoise.batch.jobs import plan_jobs
    from napari_inr_denoise.batch.options import RunOptions
    from napari_inr_denoise.batch.report.writer import ReportWriter

    if settings_file is not None:
        settings = _saved_settings(context, settings_file)
    else:
        changes = {} if memory is None else {"memory_gb": memory}
        settings = _settings(
            preset, device, seed, mode=mode, strength=strength, **changes
        )
    if scheduler is not None:
        # The workers may run in another folder.
        inputs = tuple(str(Path(text).absolute()) for text in inputs)
        out = out.absolute()
    grid = Interpolation(isotropic, zoom)
    with _usage_errors():
        options = RunOptions(
            settings,
            axes,
            dtype == "same",
            overwrite,
            grid,
            tuple(maps),
            incomplete,
            levels,
        )
        jobs = plan_jobs(inputs, out, series)
    if dry_run:
        _print_estimates(jobs, options)
        return
    reports = ReportWriter(out, settings)
    with ExitStack() as stack:
        with _usage_errors():
            steps = stack.enter_context(steps_of_run(jobs, options, workers, scheduler))
        ok = _run_and_report(steps, reports, out)
    if not ok:
        sys.exit(1)


@main.command(cls=NoiseCommand)
@click.argument("input_file", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--axes", help="Axes, such as TZYX, if the file's own are wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print all values as JSON.")
@image_options(several=False)
def noise(
    input_file: Path,
    axes: str | None,
    as_json: bool,
    series: str | None,
    incomplete: bool,
) -> None:
    """Print the noise that is measured in an image, as a table."""
    import numpy as np

    from napari_inr_denoise.cli.noise_table import noise_table
    from napari_inr_denoise.core.noise.measure import noise_of_planes
    from napari_inr_denoise.core.noise.model import combine_noise
    from napari_inr_denoise.io.read import read_image, with_named_axes

    with _usage_errors():
        record = read_image(input_file, series=series, incomplete=incomplete)
        record = with_named_axes(record, axes)
        planes = noise_of_planes(np.asarray(record.measured), record.axes)
    whole = combine_noise([model for _, model in planes])
    if not as_json:
        sizes = " x ".join(map(str, record.data.shape))
        notes = "".join(f"\n  {note}" for note in record.notes)
        click.echo(f"{input_file}: {record.axes}, {sizes}{notes}")
        click.echo(f"{whole.describe()}\n")
        click.echo("\n".join(noise_table(planes)))
        return
    answer = {
        "source": str(input_file),
        "shape": list(record.data.shape),
        "axes": record.axes,
        "notes": record.notes,
        **whole.to_dict(),
        "planes": [{"index": index, **model.to_dict()} for index, model in planes],
    }
    click.echo(json.dumps(answer, indent=1))


@main.command()
def info() -> None:
    """Print versions, devices, the device that is used, and advice."""
    from napari_inr_denoise.cli.advice import advice
    from napari_inr_denoise.cli.installation import (
        inspect_installation,
        installation_lines,
    )

    found = inspect_installation()
    for name, value in installation_lines(found).items():
        click.echo(f"{name:<20} {value}")
    for sentence in advice(found):
        click.echo(f"\n{sentence}")


def _settings(
    preset: str, device: str, seed: int, **changes: str | float
) -> DenoiseSettings:
    """Return the settings given by the options, or exit with a usage error."""
    from napari_inr_denoise.core.compute.devices import pick_device

    with _usage_errors():
        pick_device(device)
        return preset_settings(preset, device=device, seed=seed, **changes)


def _saved_settings(context: click.Context, path: Path) -> DenoiseSettings:
    """Return the settings of a file, changed by the options that were given."""
    from napari_inr_denoise.batch.settings_file import read_settings
    from napari_inr_denoise.core.compute.devices import pick_device

    given = {
        name: context.params[name]
        for name in ("preset", "seed", "device", "mode", "strength", "memory")
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    if "preset" in given:
        raise click.UsageError("--settings replaces --preset; give only one.")
    if "memory" in given:
        given["memory_gb"] = given.pop("memory")
    with _usage_errors():
        settings = read_settings(path, given)
        pick_device(settings.device)
    return settings


def _print_estimates(jobs: list[Job], options: RunOptions) -> None:
    from napari_inr_denoise.cli.dry_run import estimates

    for line in estimates(jobs, options):
        click.echo(line)


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Turn errors of the input into usage errors: a message and exit code 2."""
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        raise click.UsageError(str(error)) from error


def _denoise_sample(
    noisy: NDArray[np.uint16], settings: DenoiseSettings
) -> DenoiseResult:
    from napari_inr_denoise.batch.progress import JobProgress
    from napari_inr_denoise.cli.progress_bar import ProgressBar
    from napari_inr_denoise.core.compute.generators import GeneratorResult
    from napari_inr_denoise.core.denoise import denoise_steps

    run = GeneratorResult(denoise_steps(noisy, settings=settings, previews=False))
    with ProgressBar() as bar:
        for step in run:
            bar.show("demo", JobProgress.of(step))
    return run.result


def _run_and_report(steps: BatchSteps, reports: ReportWriter, out: Path) -> bool:
    """Show the progress of a run and write its reports; return whether all went well.

    A report that cannot be written is printed and does not stop the run.
    """
    from napari_inr_denoise.cli.progress_bar import ProgressBar
    from napari_inr_denoise.cli.summary import file_summary

    ok, current = True, ""
    try:
        with ProgressBar() as bar, closing(steps):
            for batch in steps:
                bar.follow(batch)
                current = str(batch.job.source)
                if batch.done is None:
                    continue
                ok &= batch.done.file.status != "failed"
                bar.print_line(file_summary(batch.done))
                reports.add(batch.number, batch.done)
    except ConnectionError as error:  # to the scheduler of a cluster
        click.echo(str(error))
        ok = False
    except KeyboardInterrupt:
        message = (
            f"What was finished before {current} is in {out}, and so are finished "
            "planes of it. The same command goes on from there."
        )
        click.echo(f"\n{message}" if current else "", err=True)
        raise
    finally:
        problem = reports.close()
        if problem:
            click.echo(f"The report could not be written: {problem}")
    return ok and not problem


def _open_in_napari(denoised: Path) -> int:
    """Open the demo in a new process, and return its exit code."""
    module = "napari_inr_denoise.plugin.demo_window"
    return subprocess.run(
        [sys.executable, "-m", module, str(denoised)], check=False
    ).returncode
