"""Quality and time of this checkout against an older one, in turns.

Denoises the real frames and the photographs (sigma 25) of $INR_DENOISE_DATA, and five
easy images, made up, of 512x512 pixels with little noise. Both checkouts denoise each
image one after the other, on one thread, and the order changes from image to image:

    python -m tests.benchmarks.before_after OTHER/src --presets fast auto

With `--groups stacks`, planes of the pollen volume with photon noise instead. Started
by `bash tests/benchmarks/ordinary_cpu.sh`, times are those of a CPU without bfloat16.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.io.read import read_image
from tests import phantoms
from tests.benchmarks.images import Pair, data_folder, entries, psnr, read_pairs
from tests.benchmarks.synthetic import parse_noise

_SET12 = tuple(f"{number:02d}" for number in range(1, 13))
_SIDE = 512
_STACKS = (32, 192, "20:2"), (32, 192, "3:0.5"), (12, 192, "20:2"), (24, 128, "3:1")
"""Planes, side in pixels, and photons at the peak with read noise."""
_WORKER = """
import json, sys, time
import numpy as np
import torch
from napari_inr_denoise import denoise
torch.set_num_threads(1)
for line in sys.stdin:
    path, preset = json.loads(line)
    noisy = np.load(path)
    started = time.process_time()
    axes = "ZYX"[-noisy.ndim :]
    result = denoise(noisy, axes=axes, preset=preset, device="cpu")
    seconds = time.process_time() - started
    np.save(path, result.image)
    steps = max(plane.steps for plane in result.report.files[0].planes)
    print(json.dumps([seconds, steps]), flush=True)
"""


def main() -> None:
    """Print one Markdown row for each image, and the means of each group."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("other", help="the src folder of the older checkout")
    parser.add_argument("--presets", nargs="+", default=["fast", "auto"])
    usual = ["frames", "photographs", "easy"]
    parser.add_argument("--groups", nargs="+", default=usual, choices=_GROUPS)
    parser.add_argument(
        "--folder", type=Path, default=Path(), help="for passing images"
    )
    parser.add_argument("--only", nargs="+", default=[""], help="texts in names")
    options = parser.parse_args()
    here = str(Path(__file__).parents[2] / "src")
    workers = {"before": _worker(options.other), "now": _worker(here)}
    path = options.folder / f"before_after_{os.getpid()}.npy"
    for preset in options.presets:
        print(f"\n| `{preset}` | dB before, now | CPU s before, now | steps now |")
        print("|---|---|---|---|", flush=True)
        for group in options.groups:
            rows: list[tuple[float, float, float, float]] = []
            for pair in _GROUPS[group]():
                if not any(text in pair.name for text in options.only):
                    continue
                order = list(workers) if len(rows) % 2 else list(workers)[::-1]
                found = {
                    name: _measured(workers[name], pair, preset, path) for name in order
                }
                (old, spent, _), (new, took, steps) = found["before"], found["now"]
                rows.append((old, new, spent, took))
                print(_row(pair.name, *rows[-1], steps), flush=True)
            if rows:
                old, new, spent, took = np.mean(rows, axis=0)
                print(_row(f"mean, {group}", old, new, spent, took, ""), flush=True)
    path.unlink()


def _row(
    name: str, old: float, new: float, spent: float, took: float, steps: object
) -> str:
    return (
        f"| {name} | {old:.2f}, {new:.2f} ({new - old:+.2f}) | "
        f"{spent:.1f}, {took:.1f} ({took / spent:.2f}) | {steps} |"
    )


def _worker(source: str) -> subprocess.Popen[str]:
    """Start a process that denoises with the package of a src folder."""
    threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    paths = [one for one in [os.environ.get("PYTHONPATH")] if one]
    return subprocess.Popen(
        [sys.executable, "-c", _WORKER],
        env=os.environ | threads | {"PYTHONPATH": os.pathsep.join([source, *paths])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _measured(
    worker: subprocess.Popen[str], pair: Pair, preset: str, path: Path
) -> tuple[float, float, int]:
    """Return PSNR, CPU seconds and steps of one image."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    np.save(path, pair.noisy.astype(np.float32))
    worker.stdin.write(json.dumps([str(path), preset]) + "\n")
    worker.stdin.flush()
    seconds, steps = json.loads(worker.stdout.readline())
    return psnr(np.load(path), pair.truth), seconds, steps


def _frames() -> Iterator[Pair]:
    for entry in entries(data_folder() / "fmd"):
        yield from read_pairs(entry, (), 0)


def _photographs() -> Iterator[Pair]:
    for entry in entries(data_folder() / "photos", _SET12):
        yield from read_pairs(entry, (parse_noise("gaussian:25"),), 0)


def _easy() -> Iterator[Pair]:
    """Yield images whose noise is 1 to 3 % of their contrast."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[:_SIDE, :_SIDE]

    def places(count: int) -> Iterator[tuple[float, float]]:
        for _ in range(count):
            yield tuple(rng.uniform(0, _SIDE, 2))  # type: ignore[misc]

    blobs = np.full((_SIDE, _SIDE), 20.0)
    for row, column in places(60):
        width, height = rng.uniform(8, 25), rng.uniform(50, 200)
        far = ((y - row) ** 2 + (x - column) ** 2) / width**2
        blobs += height * np.exp(-far / 2)
    discs = np.full((_SIDE, _SIDE), 30.0)
    for row, column in places(40):
        inside = np.hypot(y - row, x - column) < rng.uniform(10, 40)
        discs = np.maximum(discs, 30 + rng.uniform(40, 150) * inside)
    lines = np.full((_SIDE, _SIDE), 20.0)
    for row, column in places(60):
        angle = rng.uniform(0, np.pi)
        along = (x - column) * np.cos(angle) + (y - row) * np.sin(angle)
        across = (x - column) * np.sin(angle) - (y - row) * np.cos(angle)
        far = across + 8 * np.sin(along / 40)
        lines += 150 * np.exp(-(far**2) / 2 / 1.8**2)
    cells = gaussian_filter(phantoms.cells(_SIDE), 1.0)
    tissue = gaussian_filter(phantoms.tissue(_SIDE), 1.0)
    for name, truth, share in (
        ("blobs", blobs, 0.01),
        ("discs", gaussian_filter(discs, 1.0), 0.02),
        ("filaments", lines, 0.02),
        ("cells", cells, 0.01),
        ("tissue", tissue, 0.03),
    ):
        scaled = 255 * (truth - truth.min()) / np.ptp(truth)
        noisy = scaled + rng.normal(0, 255 * share, scaled.shape)
        yield Pair(name, f"{share:.0%}", noisy, scaled)


def _stacks() -> Iterator[Pair]:
    """Yield planes of the pollen volume, in photons."""
    volume = read_image(data_folder() / "stacks/pollen_clean_zyx_u16.tif").data
    for planes, side, text in _STACKS:
        first = (len(volume) - planes) // 2
        truth = volume[first : first + planes, 40 : 40 + side, 40 : 40 + side] * 1.0
        truth *= 255 / truth.max()
        noisy = parse_noise(f"poisson-gaussian:{text}").added_to(truth, 0)
        yield Pair(f"{planes}x{side}x{side}", text, noisy, truth)


_GROUPS = {
    "frames": _frames,
    "photographs": _photographs,
    "easy": _easy,
    "stacks": _stacks,
}


if __name__ == "__main__":
    main()
