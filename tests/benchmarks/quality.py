"""PSNR, SSIM, time and trust of the presets and others, on images with a truth.

Every noisy frame of a folder of pairs, by default $INR_DENOISE_DATA/fmd:

    python -m tests.benchmarks.quality --presets auto --images Confocal_MICE

A folder of clean images, with noise added (the folder comes first):

    python -m tests.benchmarks.quality photos --noise gaussian:15 poisson:30
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from napari_inr_denoise import DenoiseSettings, denoise
from napari_inr_denoise.core.compute.devices import pick_device
from napari_inr_denoise.core.report.report import PlaneReport
from napari_inr_denoise.core.settings import PRESETS, Choice, preset_settings
from tests.benchmarks.images import Entry, Pair, data_folder, entries, read_pairs
from tests.benchmarks.machine import describe_run
from tests.benchmarks.references import REFERENCES, Made
from tests.benchmarks.synthetic import Noise, parse_noise
from tests.benchmarks.table import HEADER, MEANS_HEADER, Row, means, score

_NOISES = ("gaussian:5", "gaussian:15", "gaussian:25")


def main() -> None:
    """Print one Markdown row per image and method, and then the means."""
    options = _parser().parse_args()
    settings, device = _checked(options)
    chosen = entries(options.folder or data_folder() / "fmd", options.images)
    noises = _noises(chosen, options.noise)
    for line in describe_run("tests.benchmarks.quality", device):
        print(line)
    print(f"\n{HEADER}", flush=True)
    rows: list[Row] = []
    for entry in chosen:
        for pair in read_pairs(entry, noises, options.seed):
            cropped = pair.central(options.crop)
            for method, made in _made(cropped, options.references, settings):
                line, row = score(cropped, method, made)
                print(line, flush=True)
                rows += [row] if row else []
    print(f"\n{MEANS_HEADER}")
    for line in means(rows):
        print(line)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("folder", nargs="?", type=Path, help="pairs or clean images; comes first")
    add("--presets", nargs="*", default=list(PRESETS), choices=list(PRESETS))
    add("--images", nargs="*", default=[], metavar="NAME", help="all if omitted")
    add(
        "--noise",
        nargs="+",
        type=parse_noise,
        metavar="KIND",
        help="for clean images: gaussian:SIGMA, poisson:PEAK, poisson-gaussian:"
        f"PEAK:READ (peak and read noise in photons); {' '.join(_NOISES)} if omitted",
    )
    add(
        "--references",
        nargs="*",
        default=["noisy", "blur", "nlm"],
        choices=list(REFERENCES),
    )
    add("--device", default="auto")
    add("--seed", type=int, default=0, help="of the added noise and of the presets")
    add("--crop", type=int, metavar="N", help="measure the central N x N pixels")
    add("--set", nargs="*", default=[], type=_change, metavar="NAME=VALUE")
    return parser


def _change(text: str) -> tuple[str, Choice]:
    """Read the change of a setting: a number where it is one."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"got {text!r}, wanted NAME=VALUE")
    for number in (int, float):
        try:
            return name, number(value)
        except ValueError:
            continue
    return name, value


def _checked(
    options: argparse.Namespace,
) -> tuple[dict[str, DenoiseSettings], torch.device]:
    """Return the settings by preset and the device, or end with a sentence."""
    changes = {"device": options.device, "seed": options.seed, **dict(options.set)}
    try:
        settings = {name: preset_settings(name, **changes) for name in options.presets}
        return settings, pick_device(str(changes["device"]))
    except (TypeError, ValueError) as error:
        sys.exit(str(error))


def _noises(chosen: list[Entry], asked: list[Noise] | None) -> list[Noise]:
    """Return the noise to add; real pairs have their own."""
    if asked and chosen[0].noisy is not None:
        sys.exit("--noise: these images have real noise; name a folder of clean ones.")
    return asked or [parse_noise(text) for text in _NOISES]


def _made(
    pair: Pair, references: list[str], settings: dict[str, DenoiseSettings]
) -> Iterator[tuple[str, Made]]:
    """Yield each method's name and what it made of the noisy image."""
    for name in references:
        yield name, REFERENCES[name](pair)
    for name, preset in settings.items():
        yield name, _denoised(pair, preset)


def _denoised(pair: Pair, settings: DenoiseSettings) -> Made:
    started = time.perf_counter()
    result = denoise(pair.noisy, axes=pair.axes, settings=settings)
    seconds = time.perf_counter() - started
    note = _note(result.report.files[0].planes[0])
    return Made(result.image, seconds, note, result.uncertainty)


def _note(plane: PlaneReport) -> str:
    """Return the weights of what a plane was mixed from, and why it was stopped."""
    named = plane.candidates.items()
    weights = ", ".join(f"{name} {weight:.2f}" for name, weight in named)
    return f"{weights}; {plane.reason}" if weights else plane.reason


if __name__ == "__main__":
    main()
