"""How a run would speed up with more cores, simulated where there are few.

Another process looks every few milliseconds how many threads of the run could work.
CPU time that is used while one could is serial; while k could, it would take a k-th of
it on k cores. Other work on the machine changes that little, unlike the time on the
clock:

    python -m tests.benchmarks.cores --threads 8

What waits for memory or for a lock is not seen: real machines are slower than this.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch

from tests import phantoms
from tests.benchmarks.machine import describe_run

_CORES = (1, 2, 4, 8, 16)
_LOOK_S = 0.004
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_RUN = """
import sys, numpy, torch
from napari_inr_denoise import denoise
from napari_inr_denoise.core.compute.threads import set_thread_count
path, axes, preset, threads = sys.argv[1:]
set_thread_count(int(threads))
noisy = numpy.load(path)
sys.stdin.readline()
print("begun", flush=True)
denoise(noisy, axes, preset)
print("ended", flush=True)
"""


def main() -> None:
    """Print a table, as Markdown."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--side", type=int, default=256, help="pixels")
    options = parser.parse_args()
    for line in describe_run("tests.benchmarks.cores", torch.device("cpu")):
        print(line)
    cores = [count for count in _CORES if count <= options.threads]
    told = " | ".join(f"{count}" for count in cores)
    print(f"\n| cores | s of CPU | serial | at most | {told} |")
    print("|---" * (4 + len(cores)) + "|", flush=True)
    for name, used in _cases(options.threads, options.side):
        whole, serial = sum(used.values()), used.get(1, 0.0)
        ups = [
            whole / sum(spent / min(k, count) for k, spent in used.items())
            for count in cores
        ]
        cells = " | ".join(f"{up:.2f}" for up in ups)
        share = serial / whole
        most = f"{1 / share:.1f}" if share else "-"
        print(f"| {name} | {whole:.1f} | {share:.0%} | {most} | {cells} |", flush=True)


def _cases(threads: int, side: int) -> Iterator[tuple[str, dict[int, float]]]:
    """Yield CPU seconds by the number of threads that could work, for each case."""
    clean = phantoms.cells(side)
    several = phantoms.camera(np.stack([clean] * 4))
    with tempfile.TemporaryDirectory() as folder:
        for name, axes, noisy, preset in (
            ("a plane, fast", "YX", several[0], "fast"),
            ("a plane, auto", "YX", several[0], "auto"),
            ("4 channels, fast", "CYX", several, "fast"),
            ("4 planes of a stack, fast", "ZYX", several, "fast"),
        ):
            path = Path(folder) / "noisy.npy"
            np.save(path, noisy)
            arguments = [str(path), axes, preset, str(threads)]
            yield name, _watched([sys.executable, "-c", _RUN, *arguments])


def _watched(command: list[str]) -> dict[int, float]:
    """Run a command; return CPU seconds by the number of threads that could work."""
    used: dict[int, float] = {}
    run = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdin is not None
    assert run.stdout is not None
    run.stdin.write("\n")
    run.stdin.flush()
    assert run.stdout.readline() == "begun\n"
    before, pending = _threads(run.pid)[1], 1
    while run.poll() is None:
        time.sleep(_LOOK_S)
        working, spent = _threads(run.pid)
        # The kernel counts ticks: those since the last change go to what was seen now.
        pending = max(pending, 1) if working == 0 else working
        if spent > before:
            used[pending] = used.get(pending, 0.0) + (spent - before) * _TICK_S
            before = spent
    if run.returncode:
        raise SystemExit(f"{command} ended with code {run.returncode}")
    return used


def _threads(process: int) -> tuple[int, int]:
    """Return how many threads of a process could work, and its ticks of CPU."""
    folder, working = Path("/proc") / str(process), 0
    try:
        ticks = sum(int(count) for count in _stat(folder)[11:13])
    except OSError:  # it has ended
        return 0, 0
    for task in (folder / "task").iterdir():
        with suppress(OSError):
            working += _stat(task)[0] == "R"
    return working, ticks


def _stat(folder: Path) -> list[str]:
    return (folder / "stat").read_text("utf-8").rpartition(")")[2].split()


if __name__ == "__main__":
    main()
