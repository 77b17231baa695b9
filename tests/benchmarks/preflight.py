"""What was estimated before a run, beside what the run took: time and memory.

Each case runs in a process of its own, so that its peak memory is its own:

    python -m tests.benchmarks.preflight
    python -m tests.benchmarks.preflight --cases 1x512x512:auto 20x256x256:fast

`--cpu` takes CPU time instead, on one thread, for the estimate and for the run: it is
hardly changed by other work on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise.core.compute.devices import peak_memory_mb
from napari_inr_denoise.core.denoise import denoise
from napari_inr_denoise.core.preflight.estimate import preflight
from napari_inr_denoise.core.settings import preset_settings
from tests.benchmarks.machine import describe_run

_CASES = (
    "1x256x256:fast",
    "1x512x512:fast",
    "1x512x512:auto",
    "1x1500x1500:fast",
    "10x256x256:fast",
    "1x256x256:auto",
    "10x256x256:auto",
    "10x512x512:fast",
    "1x256x256:paper",
    "8x128x128:volume",
)


def main() -> None:
    """Print one Markdown row for each case."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", nargs="+", default=_CASES, metavar="PLANES:PRESET")
    parser.add_argument("--cpu", action="store_true", help="CPU time, on one thread")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.cpu:
        os.environ["OMP_NUM_THREADS"] = "1"
    if options.one:
        if options.cpu:
            torch.set_num_threads(1)
            # The estimate measures with the same clock as the run is measured with.
            time.perf_counter = time.process_time
        print(json.dumps(_measured(options.one)))
        return
    for line in describe_run("tests.benchmarks.preflight", torch.device("cpu")):
        print(line)
    print("\n| case | estimate | took | ratio | memory estimated, peak GB | it took |")
    print("|---|---|---|---|---|---|", flush=True)
    off: list[float] = []
    for case in options.cases:
        command = [sys.executable, "-m", "tests.benchmarks.preflight", "--one", case]
        command += ["--cpu"] * options.cpu
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout)
        most = "at most " if found["at_most"] else ""
        print(
            f"| {case} | {most}{found['expected']:.1f} s | {found['seconds']:.1f} s | "
            f"{found['expected'] / found['seconds']:.2f} | "
            f"{found['memory']:.2f}, {found['peak']:.2f} | {found['spent']:.1f} s |",
            flush=True,
        )
        if not found["at_most"]:
            off.append(abs(found["expected"] / found["seconds"] - 1))
    print(f"\nMedian of |told / taken - 1|: {np.median(off):.2f}" if off else "")


def _measured(case: str) -> dict[str, float]:
    """Estimate and run one case."""
    sizes, kind = case.split(":")
    image = _tissue(tuple(int(size) for size in sizes.split("x")))
    volume = kind == "volume"  # not a preset
    settings = (
        preset_settings("paper", mode="volume") if volume else preset_settings(kind)
    )
    started = time.perf_counter()
    plan = preflight(image, "ZYX", settings)
    spent = time.perf_counter() - started
    started = time.perf_counter()
    denoise(image, axes="ZYX", settings=settings)
    seconds = time.perf_counter() - started
    return {
        "expected": plan.seconds,
        "at_most": plan.at_most,
        "seconds": seconds,
        "memory": plan.memory_gb,
        "peak": (peak_memory_mb(torch.device("cpu")) or 0.0) / 1e3,
        "spent": spent,
    }


def _tissue(shape: tuple[int, ...]) -> NDArray[np.uint16]:
    """Return photons from smooth structure that goes on from plane to plane."""
    random = np.random.default_rng(0)
    smooth = gaussian_filter(random.normal(size=shape), (2.0, 3.0, 3.0))
    rate = np.clip(100 + 40 * smooth / smooth.std(), 1, None)
    return random.poisson(rate).astype(np.uint16)


if __name__ == "__main__":
    main()
