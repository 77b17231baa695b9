"""The command line: demo, run, noise, info.

Heavy imports wait until a command needs them, so that --help answers at once.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from napari_inr_denoise.batch.run import BatchStep
    from napari_inr_denoise.core.denoise import DenoiseResult, DenoiseStep
    from napari_inr_denoise.core.report import FileReport

INTERRUPTED = 130
_PRESETS = ("auto", "fast", "paper")
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
            type=click.Choice(_PRESETS),
            default="auto",
            show_default=True,
            help="auto: best quality; fast: a look; paper: the published method.",
        ),
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="napari-inr-denoise")
def main() -> None:
    """Denoise fluorescence images from themselves alone.

    A small network is fitted to the one noisy image and stopped at the noise level
    that was estimated from it: no training data, no pre-trained weights.
    """


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
    with _interruptible("Nothing was written."):
        result = _denoise_sample(sample.noisy, _settings(preset, device, seed))
        done = finish_demo(sample, result, out)
    (file,) = done.report.files
    click.echo(_plane_summary(file))
    click.echo(
        f"PSNR: {done.psnr_before:.2f} dB before, {done.psnr_after:.2f} dB after "
        f"({file.seconds:.0f} seconds, {file.device})"
    )
    click.echo(f"Written: {out / 'denoised.ome.tif'}, comparison.png, report.json")
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
    dtype: str,
    overwrite: bool,
) -> None:
    """Denoise files, folders or glob patterns of TIFF and PNG, plane by plane.

    Each result is written to OUT as <name>.inr.ome.tif. A file that is done and
    unchanged is skipped; one that fails does not stop the others.
    """
    from napari_inr_denoise.batch.jobs import plan_jobs
    from napari_inr_denoise.batch.run import RunOptions, run_jobs

    settings = _settings(preset, device, seed)
    with _usage_errors():
        jobs = plan_jobs(inputs, out)
    options = RunOptions(settings, axes, dtype == "same", overwrite)
    files = _run_and_report(run_jobs(jobs, options), out, options.settings)
    if any(file.status == "failed" for file in files):
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


def _settings(preset: str, device: str, seed: int) -> Any:  # noqa: ANN401 - its class loads late
    """Return the settings of the options, or end with a usage error."""
    from napari_inr_denoise.core.devices import pick_device
    from napari_inr_denoise.core.settings import preset_settings

    with _usage_errors():
        pick_device(device)
        return preset_settings(preset, device=device, seed=seed)


@contextmanager
def _usage_errors() -> Iterator[None]:
    """Turn a mistake of the caller into a usage error: a sentence and exit code 2."""
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        raise click.UsageError(str(error)) from error


@contextmanager
def _interruptible(kept: str) -> Iterator[None]:
    """Turn Ctrl-C into a sentence and exit code 130."""
    try:
        yield
    except KeyboardInterrupt:
        click.echo(f"\nInterrupted. {kept}", err=True)
        sys.exit(INTERRUPTED)


def _denoise_sample(noisy: Any, settings: Any) -> DenoiseResult:  # noqa: ANN401 - its class loads late
    from napari_inr_denoise.core.denoise import denoise_steps

    steps = denoise_steps(noisy, settings=settings)
    with _Bar(1) as bar:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                result: DenoiseResult = end.value
                return result
            bar.show(step.progress, "demo", step)


def _run_and_report(steps: Any, out: Path, settings: Any) -> list[FileReport]:  # noqa: ANN401
    """Follow a run with a bar; keep the report on disk up to date."""
    from importlib.metadata import version

    from napari_inr_denoise.batch.report_files import write_report
    from napari_inr_denoise.core.report import DenoiseReport

    files: list[FileReport] = []
    kept = f"What was finished is in {out}."
    with _interruptible(kept), _Bar() as bar:
        for batch in steps:
            bar.follow(batch)
            if batch.file is not None:
                files.append(batch.file)
                report = DenoiseReport(
                    version("napari-inr-denoise"), settings, tuple(files)
                )
                write_report(report, out)
                bar.say(_file_summary(batch))
    return files


def _file_summary(batch: BatchStep) -> str:
    """Return a line or more on a finished file."""
    file = batch.file
    assert file is not None
    notes = "".join(f"\n  {note}" for note in batch.notes)
    if file.status == "failed":
        return f"{file.source}: FAILED: {file.error}{notes}"
    if file.status == "skipped":
        return f"{file.source}: skipped, done before: {file.output}"
    return f"{file.source} -> {file.output}\n  {_plane_summary(file)}{notes}"


def _plane_summary(file: FileReport) -> str:
    """Return noise level, residual and stop reason in plain words."""
    from napari_inr_denoise.core.stopping import StopReason

    first = file.planes[0]
    if len(file.planes) == 1:
        kind = " (correlated between neighbours)" if first.correlated else ""
        return (
            f"Noise level {first.sigma:.4g}{kind}, residual {first.residual_rms:.4g}, "
            f"{first.steps} steps. {StopReason(first.reason).sentence}"
        )
    reasons = [plane.reason for plane in file.planes]
    counted = ", ".join(f"{r}: {reasons.count(r)}" for r in dict.fromkeys(reasons))
    levels = [plane.sigma for plane in file.planes]
    return (
        f"{len(levels)} planes, noise level {min(levels):.4g} to {max(levels):.4g}. "
        f"Stop reasons: {counted}."
    )


def _open_in_napari(denoised: Path) -> int:
    """Open the demonstration in a process of its own, and return its exit code."""
    module = "napari_inr_denoise.plugin.demo_window"
    return subprocess.run(
        [sys.executable, "-m", module, str(denoised)], check=False
    ).returncode


class _Bar:
    """A progress bar on standard error: share done, steps a second, time left."""

    def __init__(self, count: int | None = None) -> None:
        from tqdm import tqdm

        self._bar = tqdm(
            total=count,
            file=sys.stderr,
            disable=None,  # nothing to draw where standard error is no terminal
            bar_format=(
                "{desc} {percentage:3.0f}%|{bar}| {elapsed} elapsed, "
                "{remaining} left{postfix}"
            ),
        )

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def follow(self, batch: BatchStep) -> None:
        """Show where a run is."""
        self._bar.total = batch.count
        share = 1.0 if batch.step is None else batch.step.progress
        if batch.file is not None:
            share = 1.0
        self.show(batch.number + share, batch.job.source.name, batch.step)

    def show(self, done: float, name: str, step: DenoiseStep | None) -> None:
        """Show how much is done, in units of the total."""
        self._bar.set_description_str(name, refresh=False)
        if step is not None and step.fit is not None:
            ratio = step.fit.residual_rms / step.fit.noise.sigma
            self._bar.set_postfix_str(
                f"plane {step.plane_number + 1}/{step.plane_count}, "
                f"step {step.fit.step}, {step.fit.steps_per_second:.0f} steps/s, "
                f"residual {ratio:.2f} x noise",
                refresh=False,
            )
        self._bar.update(max(done - self._bar.n, 0))

    def say(self, text: str) -> None:
        """Print a line to standard output above the bar."""
        self._bar.clear()
        click.echo(text)
        self._bar.refresh()
