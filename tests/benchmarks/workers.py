"""How much faster N workers finish a folder than one, as a ratio.

Copies of a real frame of $INR_DENOISE_DATA, each with other noise added so that no two
are alike:

    python -m tests.benchmarks.workers --workers 1 2 --copies 4

Starting the workers is part of the time. The cores are shared out among the workers.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile
import torch

from napari_inr_denoise.batch.dask_cluster import local_workers, run_on_cluster
from napari_inr_denoise.batch.jobs import plan_jobs
from napari_inr_denoise.batch.options import RunOptions
from napari_inr_denoise.core.compute.generators import GeneratorResult
from napari_inr_denoise.core.settings import PRESETS, preset_settings
from napari_inr_denoise.io.read import read_image
from tests.benchmarks.images import data_folder
from tests.benchmarks.machine import describe_run

HEADER = "| workers | files | seconds | files an hour | ratio |\n|---|---|---|---|---|"


def main() -> None:
    """Print one Markdown row for each number of workers."""
    options = _parser().parse_args()
    for line in describe_run("tests.benchmarks.workers", torch.device("cpu")):
        print(line)
    print(f"\n{HEADER}", flush=True)
    first = None
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "in"
        _copy_frame(source, options)
        for count in options.workers:
            seconds = _timed(source, count, options)
            first = first or seconds
            rate, ratio = 3600 * options.copies / seconds, first / seconds
            cells = (count, options.copies, f"{seconds:.1f}", f"{rate:.0f}")
            print(f"| {' | '.join(map(str, cells))} | {ratio:.2f} |", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--frame", type=Path, help="default: fmd/Confocal_MICE/noisy_1.png")
    add("--workers", nargs="+", type=int, default=[1, 2])
    add("--copies", type=int, default=4)
    add("--side", type=int, default=512, help="of the part that is used, in pixels")
    add("--preset", default="fast", choices=list(PRESETS))
    return parser


def _copy_frame(folder: Path, options: argparse.Namespace) -> None:
    frame = options.frame or data_folder() / "fmd/Confocal_MICE/noisy_1.png"
    values = read_image(frame).data[: options.side, : options.side]
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(options.copies):
        noisy = values + rng.normal(0, 2, values.shape)
        tifffile.imwrite(folder / f"{number}.tif", noisy.astype(np.float32))


def _timed(source: Path, workers: int, options: argparse.Namespace) -> float:
    out = source.parent / "out"
    jobs = plan_jobs([str(source)], out)
    settings = preset_settings(options.preset, device="cpu")
    started = time.perf_counter()
    with local_workers(workers, "cpu") as client:
        run = GeneratorResult(run_on_cluster(jobs, RunOptions(settings), client))
        for _ in run:
            pass
    seconds = time.perf_counter() - started
    assert all(file.status == "done" for file in run.result.files)
    shutil.rmtree(out)
    return seconds


if __name__ == "__main__":
    main()
