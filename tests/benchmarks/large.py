"""A file larger than memory from end to end: peak memory, time, seams, error.

Writes a made-up image with known truth to disk, runs the command line on it in a
process of its own, and compares the result with the truth:

    python -m tests.benchmarks.large /folder/with/room --shape 20000 20000
    python -m tests.benchmarks.large /folder/with/room --shape 200 2048 2048

A smaller network shows the same of memory in less time:

    python -m tests.benchmarks.large /folder/with/room --set window_width=32
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tifffile
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.compute.devices import pick_device
from napari_inr_denoise.core.pipeline.memory import tile_side
from napari_inr_denoise.core.settings import PRESETS, DenoiseSettings, preset_settings
from napari_inr_denoise.image.tiling import Tiling
from napari_inr_denoise.io.tiff.lazy import TiffArray
from tests.benchmarks.machine import describe_run

_PERIODS = (23.0, 41.0, 97.0)
_READ_NOISE = 3.0
_BAND = 12
"""Columns on each side of a border that are compared."""


def main() -> None:
    """Print what a run took and how good its result is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shape", nargs="+", type=int, default=[20000, 20000])
    parser.add_argument("--preset", default="fast", choices=list(PRESETS))
    parser.add_argument("--memory", type=float, default=2.0, help="GB to allow")
    parser.add_argument(
        "--dtype", default="uint16", choices=["uint16", "float32", "float64"]
    )
    parser.add_argument("--set", nargs="+", default=[], metavar="NAME=WHOLE NUMBER")
    options = parser.parse_args()
    for line in describe_run("tests.benchmarks.large", torch.device("cpu")):
        print(line, flush=True)
    shape = (1,) * (3 - len(options.shape)) + tuple(options.shape)
    name = "x".join(str(size) for size in options.shape)
    name = f"{name}-{options.dtype}"
    source = options.folder / f"{name}.tif"
    source.parent.mkdir(parents=True, exist_ok=True)
    if not source.exists():
        tifffile.imwrite(
            source,
            (_noisy(shape, n).astype(options.dtype) for n in range(shape[0])),
            shape=shape,
            dtype=options.dtype,
            bigtiff=True,
            metadata={"axes": "ZYX"},
        )
    out = options.folder / f"{name}-{options.preset}"
    changes = {
        key: int(value) for key, _, value in (t.partition("=") for t in options.set)
    }
    settings = preset_settings(options.preset, memory_gb=options.memory, **changes)
    out.mkdir(exist_ok=True)
    (out / "settings.json").write_text(json.dumps(settings.to_dict()))
    seconds, peak = _run(source, out)
    print(f"- {source.stat().st_size / 1e9:.2f} GB on disk, {seconds:.0f} s")
    print(f"- peak memory of the process: {peak:.2f} GB, {options.memory:g} allowed")
    for line in _quality(out / f"{name}.inr.ome.tif", shape, settings):
        print(line, flush=True)


def _run(source: Path, out: Path) -> tuple[float, float]:
    """Denoise on the command line; return seconds and gigabytes."""
    arguments = ["--settings", str(out / "settings.json")]
    command = [sys.executable, "-m", "napari_inr_denoise", "run", str(source)]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--out", str(out), "--axes", "ZYX", "--dtype", "same", *arguments]
    )
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit("The run failed.")
    unit = 1 if sys.platform == "darwin" else 1024
    return time.perf_counter() - started, usage.ru_maxrss * unit / 1e9


def _clean(shape: tuple[int, ...], plane: int, rows: slice) -> NDArray[np.float32]:
    """Return rows of a plane's truth: waves, and a ramp that makes seams show."""
    y = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None]
    x = np.arange(shape[2], dtype=np.float32)
    waves = sum(np.sin(2 * np.pi * (x + 0.7 * y + 2 * plane) / p) for p in _PERIODS)
    across = np.sin(2 * np.pi * (x - 0.4 * y) / 61.0)
    ramp = 150 * x / shape[2] + 100 * y / shape[1]
    return np.asarray(100 + ramp + 18 * (waves + across), dtype=np.float32)


def _noisy(shape: tuple[int, ...], plane: int) -> NDArray[np.uint16]:
    random = np.random.default_rng(plane)
    noisy = np.empty(shape[1:], dtype=np.uint16)
    for rows in _strips(shape[1]):
        clean = _clean(shape, plane, rows)
        counts = random.poisson(clean) + random.normal(0, _READ_NOISE, clean.shape)
        noisy[rows] = np.clip(np.rint(counts), 0, 65535)
    return noisy


def _strips(height: int) -> Iterator[slice]:
    for first in range(0, height, 1000):
        yield slice(first, min(first + 1000, height))


def _quality(
    path: Path, shape: tuple[int, ...], settings: DenoiseSettings
) -> Iterator[str]:
    """Compare a few planes with their truth, and look for seams."""
    tiling = Tiling.of(
        (shape[1], shape[2]), tile_side(settings, 1, pick_device(settings.device))
    )
    result = TiffArray(path)
    squares, before, steps = [], [], []
    for plane in sorted({0, shape[0] // 2, shape[0] - 1}):
        noisy = _noisy(shape, plane)
        sums = np.zeros(shape[2])
        for rows in _strips(shape[1]):
            clean = _clean(shape, plane, rows)
            found = result[rows] if result.ndim == 2 else result[plane, rows]
            error = found - clean
            squares.append(float(np.mean(error**2)))
            before.append(float(np.mean((noisy[rows] - clean) ** 2)))
            sums += error.sum(axis=0, dtype=float)
        profile = sums / shape[1]
        for one, other in itertools.pairwise(tiling.columns):
            for at in (other.start, (other.start + one.stop) // 2, one.stop):
                left, right = profile[at - _BAND : at], profile[at : at + _BAND]
                steps.append(abs(float(left.mean() - right.mean())))
    sigma = float(np.sqrt(np.mean(before)))
    yield f"- tiles a plane: {tiling.count}"
    yield f"- error {np.sqrt(np.mean(squares)) / sigma:.3f} of the noise (1 before)"
    if steps:
        yield f"- largest step at a border: {max(steps) / sigma:.4f} of the noise"


if __name__ == "__main__":
    main()
