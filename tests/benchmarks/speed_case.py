"""One measurement of speed, in a process of its own: its peak memory is its own.

Started by `tests.benchmarks.speed`; takes a case as JSON, and prints what it found.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_inr_denoise import denoise
from napari_inr_denoise.core.compute.devices import (
    peak_memory_mb,
    pick_device,
    synchronize,
)
from napari_inr_denoise.core.pipeline.plan import Plan
from napari_inr_denoise.core.settings import preset_settings
from tests.benchmarks.images import data_folder, entries, psnr, read_pairs
from tests.benchmarks.plain_way import STEPS, PlainRun, plain_way
from tests.benchmarks.stages import shares

PLAIN = "plain"


@dataclass(frozen=True)
class Case:
    """What is measured.

    Attributes
    ----------
    method : str
        A preset, or "plain".
    image : str
        A frame of the FMD set, such as "Confocal_MICE/1", or sizes for made-up
        tissue, such as "20x256x256".
    side : int or None
        Of the central crop of a frame.
    device : str
        Where to compute.
    steps : int
        Of the plain way.
    stages : bool
        Whether to profile. Slower, and only its shares count.
    axes : str
        Of the image.
    one_by_one : bool
        Whether planes that share nothing are not fitted at once.
    """

    method: str
    image: str
    device: str
    side: int | None = None
    steps: int = STEPS
    stages: bool = False
    axes: str = "ZYX"
    one_by_one: bool = False


@dataclass(frozen=True)
class Found:
    """What was measured of a case.

    Attributes
    ----------
    seconds : float
        Of the denoising; of a step in the plain way.
    cpu_seconds : float or None
        Of all threads of the process during the denoising; None for the plain way.
    psnr : float or None
        None where the plain way was not run to its end.
    peak_mb : float or None
        Peak memory of the process, or on CUDA of the device.
    stopped_at : int or None
        The step at which the plain way reached the noise level.
    stages : dict
        Share of each stage.
    """

    seconds: float
    cpu_seconds: float | None
    psnr: float | None
    peak_mb: float | None
    stopped_at: int | None
    stages: dict[str, float]


def measured(case: Case) -> Found:
    """Run a case in a fresh process."""
    command = [sys.executable, "-m", __spec__.name, json.dumps(asdict(case))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Found(**json.loads(done.stdout.splitlines()[-1]))


def pair_of(case: Case) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return the noisy image of a case, planes first, and its truth."""
    if case.image[0].isdigit():
        return tissue(tuple(int(size) for size in case.image.split("x")))
    (entry,) = entries(data_folder() / "fmd", [case.image])
    pair = next(read_pairs(entry, [], 0)).central(case.side)
    return pair.noisy[None], pair.truth[None]


def tissue(
    shape: tuple[int, ...],
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return photons from smooth structure, the same in kind at any size, and truth."""
    random = np.random.default_rng(0)
    smooth = gaussian_filter(random.normal(size=shape), (2.0, 3.0, 3.0))
    truth = np.clip(100 + 40 * smooth / smooth.std(), 1, None)
    return random.poisson(truth).astype(np.float64), truth


def _found(case: Case) -> Found:
    device = pick_device(case.device)
    noisy, truth = pair_of(case)
    if case.method == PLAIN:
        plain = plain_way(noisy[0], device, case.steps)
        return _of_plain(case, plain, truth[0], device)
    settings = preset_settings(case.method, device=case.device)
    _warm_up(device, noisy, case.method)
    if case.one_by_one:
        Plan.concurrent_fits = lambda *_: 1
    started, cpu_started = time.perf_counter(), time.process_time()
    with shares(case.stages) as stages:
        result = denoise(noisy, axes=case.axes, settings=settings)
        synchronize(device)
    seconds = time.perf_counter() - started
    cpu = time.process_time() - cpu_started
    peak = peak_memory_mb(device)
    return Found(seconds, cpu, psnr(result.image, truth), peak, None, stages)


def _of_plain(
    case: Case, plain: PlainRun, truth: NDArray[np.floating], device: torch.device
) -> Found:
    """Return the plain way's step; its PSNR if it came to an end."""
    whole = plain.stopped_at is not None or case.steps >= STEPS
    return Found(
        float(np.median(plain.step_seconds)),
        None,
        psnr(plain.image, truth) if whole else None,
        peak_memory_mb(device),
        plain.stopped_at,
        {},
    )


def _warm_up(device: torch.device, noisy: NDArray[np.floating], preset: str) -> None:
    """Load what a device loads at its first use."""
    if device.type != "cpu":
        settings = preset_settings(preset, device=str(device))
        denoise(noisy[:1], axes="ZYX", settings=settings)
        synchronize(device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)


if __name__ == "__main__":
    print(json.dumps(asdict(_found(Case(**json.loads(sys.argv[1]))))))
