"""Measure the peers and this project on the same images, and print the tables.

    python -m tests.benchmarks.peers FOLDER --images 3 1 1 1 --side 256 --limit 300
        --groups frames photographs micrographs pollen --jobs 2

Images are those of $INR_DENOISE_DATA. What FOLDER holds is not measured again. With
`--strips` a picture of each image is written there too; `--images 0` only prints.
With `--jobs 2` two images are measured at a time: seconds are those of a process's CPU.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import cycle
from pathlib import Path

import torch

from tests.benchmarks.images import Pair, psnr, ssim
from tests.benchmarks.machine import describe_run
from tests.benchmarks.peers.cases import GROUPS, pairs_of
from tests.benchmarks.peers.catalogue import METHODS
from tests.benchmarks.peers.environments import InstallError, python_of
from tests.benchmarks.peers.measure import Limits, Outcome, run_method
from tests.benchmarks.peers.store import Row, Store, file_name
from tests.benchmarks.peers.strips import write_strip
from tests.benchmarks.peers.table import (
    cost_table,
    image_table,
    mean_table,
    quality_table,
)
from tests.benchmarks.references import Made, blur, noisy

_REFERENCES: dict[str, Callable[[Pair], Made]] = {"noisy": noisy, "blur": blur}


def main() -> None:
    """Measure what is missing, and print the tables of everything."""
    options = _parser().parse_args()
    store = Store(options.folder)
    for line in describe_run("tests.benchmarks.peers", torch.device("cpu")):
        print(line)
    counts = dict(zip(options.groups, cycle(options.images)))
    with ThreadPoolExecutor(options.jobs) as pool:
        waiting = [
            pool.submit(_measure, store, group, pair, options)
            for group, count in counts.items()
            for pair in pairs_of(group, count, options.side)
        ]
        for one in waiting:
            one.result()
    for lines in (mean_table, quality_table, cost_table, image_table):
        print()
        for line in lines(store.rows):
            print(line)
    if options.strips:
        for group, image in dict.fromkeys((row.group, row.image) for row in store.rows):
            path = options.folder / f"{group}-{file_name(image)}.png"
            write_strip(path, store, group, image, options.methods)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.peers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("folder", type=Path, help="of the results")
    add(
        "--images",
        type=int,
        nargs="+",
        default=[100],
        help="at most, of each group: one number, or one for each",
    )
    add("--side", type=int, default=512, help="pixels of the central square")
    add("--limit", type=float, default=600, help="CPU seconds for an image")
    add("--threads", type=int, default=1, help="that libraries may use")
    add("--jobs", type=int, default=1, help="images at a time")
    add("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    add("--groups", nargs="+", default=list(GROUPS), choices=list(GROUPS))
    add("--environments", type=Path, default=Path.home() / ".cache/inr-denoise-peers")
    add("--strips", action="store_true", help="write pictures")
    return parser


def _measure(store: Store, group: str, pair: Pair, options: argparse.Namespace) -> None:
    """Run what was not measured yet on an image."""
    store.add_truth(group, pair)
    for name, reference in _REFERENCES.items():
        if not store.has(group, pair.label, name):
            made = reference(pair)
            outcome = Outcome(made.image, note=made.note)
            store.add(*_scored(group, pair, name, outcome, options.limit))
    for name in options.methods:
        if not store.has(group, pair.label, name):
            print(f"{time.strftime('%H:%M:%S')} {pair.label}: {name}", flush=True)
            outcome = _outcome(name, pair, options)
            store.add(*_scored(group, pair, name, outcome, options.limit))


def _outcome(name: str, pair: Pair, options: argparse.Namespace) -> Outcome:
    """Return what a method makes of an image, or why it makes nothing."""
    method = METHODS[name]
    try:
        python = python_of(method.environment, options.environments)
    except InstallError as error:
        return Outcome(None, note=f"not installed: {error}")
    limits = Limits(options.limit, options.threads)
    return run_method(python, method, pair.noisy, limits)


def _scored(
    group: str, pair: Pair, name: str, outcome: Outcome, limit: float
) -> tuple[Row, object]:
    """Return the row of an outcome, and its image."""
    image = outcome.image
    found = image is not None and image.shape == pair.truth.shape
    row = Row(
        group=group,
        image=pair.label,
        side=pair.truth.shape[0],
        method=name,
        psnr=psnr(image, pair.truth) if found else None,
        ssim=ssim(image, pair.truth) if found else None,
        cpu_seconds=outcome.cpu_seconds,
        wall_seconds=outcome.wall_seconds,
        peak_mb=outcome.peak_mb,
        limit=limit,
        note=outcome.note,
        date=date.today().isoformat(),
    )
    return row, image if found else None


if __name__ == "__main__":
    main()
