"""The command line: demo, run, noise, info.

Heavy imports wait until a command needs them, so that --help answers at once.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from napari_inr_denoise.core.settings import (
    MODES,
    PRESETS,
    DenoiseSettings,
    preset_settings,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_inr_denoise.batch.run import BatchSteps
    from napari_inr_denoise.core.denoise import DenoiseResult
    from napari_inr_denoise.core.report import FileReport

INTERRUPTED = 130
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _fit_options(command: _Function) -> _Function:
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


class _Group(click.Group):
    """Ctrl-C at any moment ends with a sentence and exit code 130."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        """Run a command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("\nInterrupted.", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="napari-inr-denoise")
def main() -> None:
    """Denoise fluorescence images from themselves alone.

    A small network is fitted to the one noisy image, under a noise model that is
    measured from it: no training data, no pre-trained weights.
    """
    # Read when torch loads. Threads that wait in a loop keep a core from another job,
    # and a thread of this one that has work: two at once were many times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@main.command()
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("inr-denoise-demo"),
    show_default=True,
    help="Folder of the results.",
)
@click.option("--gui", is_flag=True, help="Open the same in napari afterwards.")
@_fit_options
def demo(out: Path, gui: bool, preset: str, device: str, seed: int) -> None:
    """Denoise a made-up image whose truth is known."""
    from napari_inr_denoise.batch.demo import finish_demo
    from napari_inr_denoise.samples import field_of_cells

    sample = field_of_cells()
    result = _denoise_sample(sample.noisy, _settings(preset, device, seed))
    done = finish_demo(sample, result, out)
    (file,) = done.report.files
    click.echo(_plane_summary(file))
    click.echo(
        f"PSNR: {done.psnr_before:.2f} dB before, {done.psnr_after:.2f} dB after "
        f"({file.seconds:.0f} seconds, {file.device})"
    )
    names = "noisy.ome.tif, denoised.ome.tif, comparison.png, report.json"
    click.echo(f"Written to {out}: {names}")
    if gui:
        sys.exit(_open_in_napari(out / "denoised.ome.tif"))


@main.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder of the results; created if need be.",
)
@_fit_options
@click.option("--axes", help="Axes of every file, such as TZYX, if its own are wrong.")
@click.option(
    "--mode",
    type=click.Choice(list(MODES)),
    default="plane",
    show_default=True,
    help="plane: planes, with what they share; volume: one network in (z, y, x) for "
    "each volume, the published method with a third coordinate.",
)
@click.option(
    "--memory",
    type=float,
    metavar="GB",
    help="Most memory to take; larger planes are cut into tiles.",
)
@click.option(
    "--dtype",
    type=click.Choice(["same", "float32"]),
    default="float32",
    show_default=True,
    help="Type of the results; same: the input's, rounded and clipped.",
)
@click.option("--overwrite", is_flag=True, help="Do again what is done.")
def run(  # noqa: PLR0913, PLR0917 - one parameter an option
    inputs: tuple[str, ...],
    out: Path,
    preset: str,
    device: str,
    seed: int,
    axes: str | None,
    mode: str,
    memory: float | None,
    dtype: str,
    overwrite: bool,
) -> None:
    """Denoise files, plane by plane or volume by volume.

    INPUT is a file, a folder or a glob pattern of TIFF and PNG files. Each result is
    written to OUT as <name>.inr.ome.tif. A file that is done and unchanged is
    skipped; one that fails does not stop the others.
    """
    from napari_inr_denoise.batch.jobs import plan_jobs
    from napari_inr_denoise.batch.run import RunOptions, run_jobs

    changes = {} if memory is None else {"memory_gb": memory}
    settings = _settings(preset, device, seed, mode=mode, **changes)
    with _usage_errors():
        jobs = plan_jobs(inputs, out)
    options = RunOptions(settings, axes, dtype == "same", overwrite)
    if not _run_and_report(run_jobs(jobs, options), out):
        sys.exit(1)


@main.command()
@click.argument("input_file", metavar="INPUT", type=click.Path(path_type=Path))
@click.option("--axes", help="Axes, such as TZYX, if the file's own are wrong.")
def noise(input_file: Path, axes: str | None) -> None:
    """Print the noise model of an image as JSON."""
    from napari_inr_denoise.core.noise import combine_noise, noise_of_planes
    from napari_inr_denoise.io.read import read_image

    with _usage_errors():
        record = read_image(input_file)
        planes = noise_of_planes(record.data, axes or record.axes)
    answer = {
        "source": str(input_file),
        "shape": list(record.data.shape),
        "axes": axes or record.axes,
        **combine_noise([model for _, model in planes]).to_dict(),
        "planes": [{"index": index, **model.to_dict()} for index, model in planes],
    }
    click.echo(json.dumps(answer, indent=1))


@main.command()
def info() -> None:
    """Print versions, devices and where the fit will run."""
    from napari_inr_denoise.batch.installation import installation

    for name, value in installation().items():
        click.echo(f"{name:<20} {value}")


def _settings(
    preset: str, device: str, seed: int, **changes: str | float
) -> DenoiseSettings:
    """Return the settings of the options, or end with a usage error."""
    from napari_inr_denoise.core.devices import pick_device

    with _usage_errors():
        pick_device(device)
        return preset_settings(preset, device=device, seed=seed, **changes)


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Turn a mistake of the caller into a usage error: a sentence and exit code 2."""
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        raise click.UsageError(str(error)) from error


def _denoise_sample(
    noisy: NDArray[np.uint16], settings: DenoiseSettings
) -> DenoiseResult:
    from napari_inr_denoise.core.denoise import denoise_steps
    from napari_inr_denoise.core.outcome import Outcome
    from napari_inr_denoise.progress_bar import ProgressBar

    run = Outcome(denoise_steps(noisy, settings=settings))
    with ProgressBar() as bar:
        for step in run:
            bar.show(step.progress, "demo", step)
    return run.result


def _run_and_report(steps: BatchSteps, out: Path) -> bool:
    """Follow a run with a bar, keep the report on disk up to date, tell if all is well.

    A report that cannot be written is said and does not stop the run.
    """
    from napari_inr_denoise.batch.report_files import write_report
    from napari_inr_denoise.progress_bar import ProgressBar

    well, at_work = True, ""
    try:
        with ProgressBar() as bar, closing(steps):
            for batch in steps:
                bar.follow(batch)
                at_work = str(batch.job.source)
                if batch.report is None:
                    continue
                well &= batch.report.files[-1].status != "failed"
                bar.say(_file_summary(batch.report.files[-1], batch.notes))
                try:
                    write_report(batch.report, out)
                except OSError as error:
                    well = False
                    bar.say(f"The report could not be written: {error}")
    except KeyboardInterrupt:
        kept = (
            f"What was finished before {at_work} is in {out}, and so are finished "
            "planes of it. The same command goes on from there."
        )
        click.echo(f"\n{kept}" if at_work else "", err=True)
        raise
    return well


def _file_summary(file: FileReport, notes: tuple[str, ...]) -> str:
    """Return a line or more on a finished file."""
    said = "".join(f"\n  {note}" for note in notes)
    if file.status == "failed":
        cause = str(file.error).removeprefix(f"{file.source}: ")
        return f"{file.source}: FAILED: {cause}{said}"
    if file.status == "skipped":
        return f"{file.source}: skipped, done before: {file.output}"
    spent = f"{file.seconds:.0f} seconds, {file.device}"
    return f"{file.source} -> {file.output}\n  {_plane_summary(file)} ({spent}){said}"


def _plane_summary(file: FileReport) -> str:
    """Return noise level, residual and stop reason in plain words."""
    from napari_inr_denoise.core.stopping import StopReason
    from napari_inr_denoise.core.verdict import Verdict

    first = file.planes[0]
    if len(file.planes) > 1:
        return f"{_levels(file)} {_reasons(file)}"
    said = [StopReason(first.reason).sentence]
    if first.held_out_error is not None:
        said.append(f"Expected error {first.held_out_error:.3g} (root mean square).")
    if first.verdict is not None:
        said.append(Verdict(first.verdict).sentence)
    return f"{_levels(file)} Residual {first.residual_rms:.4g}. {' '.join(said)}"


def _levels(file: FileReport) -> str:
    """Return the range of the planes' noise levels."""
    levels = [plane.sigma for plane in file.planes if plane.sigma is not None]
    if not levels:
        return "Noise level unknown."
    low, high = f"{min(levels):.4g}", f"{max(levels):.4g}"
    correlated = any(plane.correlated for plane in file.planes)
    kind = ", correlated between neighbouring pixels" if correlated else ""
    return f"Noise level {low if low == high else f'{low} to {high}'}{kind}."


def _reasons(file: FileReport) -> str:
    """Return how many planes ended for which reason."""
    reasons = [plane.reason for plane in file.planes]
    counted = ", ".join(f"{r}: {reasons.count(r)}" for r in dict.fromkeys(reasons))
    return f"{len(reasons)} planes; {counted}."


def _open_in_napari(denoised: Path) -> int:
    """Open the demonstration in a process of its own, and return its exit code."""
    module = "napari_inr_denoise.plugin.demo_window"
    return subprocess.run(
        [sys.executable, "-m", module, str(denoised)], check=False
    ).returncode
