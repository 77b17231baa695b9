"""How fast each preset is, as ratios to the plain way on the same machine.

The plain way (`tests.benchmarks.plain_way`) takes minutes to an hour: a few of its
steps are timed before and after each preset, and its 500 steps are EXTRAPOLATED from
them; `--whole` runs it to its end once and gives its PSNR:

    python -m tests.benchmarks.speed
    python -m tests.benchmarks.speed --whole --side 256
    python -m tests.benchmarks.speed --sizes 256 512 1024 2048 4096 --stacks 1 20 200

Growth with size is measured with one preset on made-up tissue.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from napari_inr_denoise.core.compute.devices import pick_device
from napari_inr_denoise.core.settings import PRESETS
from tests.benchmarks.limits import HEADER as LIMITS_HEADER
from tests.benchmarks.limits import limit_rows
from tests.benchmarks.machine import describe_run
from tests.benchmarks.plain_way import STEPS
from tests.benchmarks.speed_case import PLAIN, Case, Found, measured, pair_of
from tests.benchmarks.stages import STAGES

# The limits last: their large matrices would count in the peak memory of children.
_PARTS = ("presets", "stages", "growth", "channels", "limits")


def main() -> None:
    """Print the tables that are asked for, as Markdown."""
    options = _parser().parse_args()
    device = pick_device(options.device)
    for line in describe_run("tests.benchmarks.speed", device):
        print(line)
    print(f"- OMP_WAIT_POLICY: {os.environ.get('OMP_WAIT_POLICY', 'not set')}")
    tables = {
        "presets": _presets,
        "stages": _stages,
        "limits": _limits,
        "growth": _growth,
        "channels": _channels,
    }
    for part in options.parts:
        print()
        for line in tables[part](options):
            print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--parts", nargs="*", default=list(_PARTS), choices=list(_PARTS))
    add("--presets", nargs="*", default=list(PRESETS), choices=list(PRESETS))
    add("--image", default="Confocal_MICE/1", help="a frame, or sizes: 1x512x512")
    add("--side", type=int, help="measure the central N x N pixels")
    add("--device", default="cpu")
    add("--repeat", type=int, default=1, help="of each preset; medians are told")
    add("--plain-steps", type=int, default=4, help="timed, the first left out")
    add("--whole", action="store_true", help="run the plain way to its end")
    add("--growth-preset", default="fast", choices=list(PRESETS))
    add("--sizes", nargs="*", type=int, default=[256, 512, 1024])
    add("--stacks", nargs="*", type=int, default=[1, 4, 16], help="planes of 256x256")
    add("--channels", nargs="*", default=["4x512x512", "2x1024x1024"], help="sizes")
    return parser


def _presets(options: argparse.Namespace) -> Iterator[str]:
    """Yield the presets beside the plain way."""
    most = STEPS if options.whole else options.plain_steps
    end = measured(_case(options, PLAIN, steps=most)) if options.whole else None
    yield f"Plain way: {_told(end)}"
    yield f"\n| method | seconds | of {STEPS} plain steps | PSNR dB | peak GB |"
    yield "|---|---|---|---|---|"
    steps = []
    for preset in options.presets:
        runs, ratios = [], []
        for _ in range(options.repeat):
            plain = [_plain_step(options)]
            runs.append(measured(_case(options, preset)))
            plain.append(_plain_step(options))
            steps += plain
            ratios.append(runs[-1].seconds / (STEPS * np.mean(plain)))
        seconds, ratio = np.median([one.seconds for one in runs]), np.median(ratios)
        yield f"| {preset} | {seconds:.1f} | 1/{1 / ratio:.0f} | {_quality(runs[0])} |"
    whole = STEPS * float(np.median(steps))
    yield f"| plain, {STEPS} steps, extrapolated | {whole:.0f} | 1 | {_quality(end)} |"
    if end is not None and end.stopped_at is not None:
        until = end.stopped_at / STEPS
        yield f"| plain, to its stop | {whole * until:.0f} | {until:.2f} | as above | |"


def _told(end: Found | None) -> str:
    if end is None:
        return "not run to its end; where it stops is not known."
    stop = f"reached the noise level at step {end.stopped_at}"
    return f"{stop if end.stopped_at is not None else 'did not stop before the last'}."


def _plain_step(options: argparse.Namespace) -> float:
    """Return the seconds of a step, of a few that are not told apart by the stop."""
    return measured(_case(options, PLAIN, steps=options.plain_steps)).seconds


def _quality(found: Found | None) -> str:
    """Return PSNR and peak memory; a dash for what is not known."""
    if found is None:
        return "- | -"
    level = "-" if found.psnr is None else f"{found.psnr:.2f}"
    peak = "-" if found.peak_mb is None else f"{found.peak_mb / 1e3:.2f}"
    return f"{level} | {peak}"


def _case(
    options: argparse.Namespace,
    method: str,
    *,
    steps: int = STEPS,
    stages: bool = False,
) -> Case:
    return Case(
        method, options.image, options.device, options.side, steps=steps, stages=stages
    )


def _stages(options: argparse.Namespace) -> Iterator[str]:
    """Yield the share of each stage, profiled in runs of their own."""
    # A kernel's time then counts where it was started.
    os.environ["CUDA_LAUNCH_BLOCKING"] = "1"
    yield f"| stages, % | {' | '.join(STAGES)} |"
    yield "|---" * (len(STAGES) + 1) + "|"
    for preset in options.presets:
        stages = measured(_case(options, preset, stages=True)).stages
        told = " | ".join(f"{100 * stages[stage]:.0f}" for stage in STAGES)
        yield f"| {preset} | {told} |"
    del os.environ["CUDA_LAUNCH_BLOCKING"]


def _limits(options: argparse.Namespace) -> Iterator[str]:
    """Yield how near to the machine's limits the steps run."""
    noisy, _ = pair_of(_case(options, PLAIN))
    yield LIMITS_HEADER
    yield from limit_rows(noisy[0], pick_device(options.device))


def _growth(options: argparse.Namespace) -> Iterator[str]:
    """Yield times by size and by number of planes, and their exponents."""
    yield (
        f"| tissue, {options.growth_preset} | seconds | CPU seconds "
        "| PSNR dB | peak GB |"
    )
    yield "|---|---|---|---|---|"
    planes = [f"1x{side}x{side}" for side in options.sizes]
    stacks = [f"{count}x256x256" for count in options.stacks]
    for images in (planes, stacks):
        seconds, cpu_seconds = [], []
        for image in images:
            case = Case(options.growth_preset, image, options.device)
            found = measured(case)
            seconds.append(found.seconds)
            cpu_seconds.append(found.cpu_seconds or 0.0)
            times = f"{seconds[-1]:.1f} | {cpu_seconds[-1]:.1f}"
            yield f"| {image} | {times} | {_quality(found)} |"
        if len(images) > 1:
            exponents = " | ".join(
                f"{_exponent(images, times):.2f}" for times in (seconds, cpu_seconds)
            )
            yield f"| exponent in the number of pixels | {exponents} | | |"


def _channels(options: argparse.Namespace) -> Iterator[str]:
    """Yield how long channels take one by one, and several at once."""
    yield (
        "| channels | one by one, s | at once, s | ratio | PSNR dB | peak GB "
        "| one by one: PSNR dB | peak GB |"
    )
    yield "|---" * 8 + "|"
    for preset in options.presets:
        for image in options.channels:
            case = Case(preset, image, options.device, axes="CYX")
            alone, concurrent = [], []
            for _ in range(options.repeat):
                alone.append(measured(replace(case, one_by_one=True)))
                concurrent.append(measured(case))
            first, second = (
                float(np.median([one.seconds for one in runs]))
                for runs in (alone, concurrent)
            )
            told = " | ".join(_quality(runs[0]) for runs in (concurrent, alone))
            times = f"{first:.1f} | {second:.1f} | {first / second:.2f}"
            yield f"| {image}, {preset} | {times} | {told} |"


def _exponent(images: Sequence[str], seconds: Sequence[float]) -> float:
    """Return the slope of log(seconds) over log(pixels)."""
    pixels = [np.prod([int(n) for n in image.split("x")]) for image in images]
    return float(np.polyfit(np.log(pixels), np.log(seconds), 1)[0])


if __name__ == "__main__":
    main()
