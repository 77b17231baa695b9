"""How near to the machine's limits the steps of the fits run.

FLOP are counted by torch: matrix products and convolutions, two for a multiplication
and an addition. What is elementwise is not counted. They are counted on the CPU: on a
GPU steps are replays of recordings, which torch does not see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from napari_inr_denoise.core.candidates.attention import AttentionModel
from napari_inr_denoise.core.candidates.neighbourhood import NeighbourhoodModel
from napari_inr_denoise.core.compute.devices import synchronize
from napari_inr_denoise.core.compute.precision import product_dtype
from napari_inr_denoise.core.noise.estimate import examine_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.sampling.windows import Windows
from napari_inr_denoise.core.settings import preset_settings
from tests.benchmarks.plain_way import PlainFit

_SIDE = {"cpu": 1024, "cuda": 8192, "mps": 4096}
_COPIED = {"cpu": 2**26, "cuda": 2**30, "mps": 2**28}
_TIMES = 7
_CPU = torch.device("cpu")
HEADER = "| what | achieved | limit | share |\n|---|---|---|---|"


def seconds_of(action: Callable[[], object], device: torch.device) -> float:
    """Return the median duration of an action, not counting its first run."""
    found = []
    for _ in range(_TIMES + 1):
        started = time.perf_counter()
        action()
        synchronize(device)
        found.append(time.perf_counter() - started)
    return float(np.median(found[1:]))


def product_peak(device: torch.device, kind: torch.dtype) -> float:
    """Return the measured FLOP/s of a large square matrix product."""
    side = _SIDE[device.type]
    square = torch.randn(side, side, device=device).to(kind)
    return 2 * side**3 / seconds_of(lambda: square @ square, device)


def copy_bandwidth(device: torch.device) -> float:
    """Return the measured bytes/s, read and written, of a large copy."""
    values = torch.ones(_COPIED[device.type] // 4, device=device)
    target = torch.empty_like(values)
    return 2 * _COPIED[device.type] / seconds_of(lambda: target.copy_(values), device)


def flops_of(step: Callable[[], object]) -> int:
    """Return the floating-point operations of a step."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # those of other threads are not counted
    try:
        with FlopCounterMode(display=False) as counter:
            step()
    finally:
        torch.set_num_threads(threads)
    return counter.get_total_flops()


@dataclass(frozen=True)
class Reached:
    """What a step reaches, and what the machine can do, a second."""

    name: str
    achieved: float
    limit: float
    unit: str


def reached(noisy_yx: NDArray[np.floating], device: torch.device) -> Iterator[Reached]:
    """Yield what each kind of step, and the gathers, reach."""
    kind = product_dtype(device)
    peaks = {each: product_peak(device, each) for each in (torch.float32, kind)}
    problem, plain = problem_of(noisy_yx), PlainFit(noisy_yx, device)
    counted = steps_of(problem, product_dtype(_CPU), _CPU)
    flops = {name: flops_of(step) for name, step, _ in counted}
    flops["the plain way: a step"] = flops_of(plain.step)
    for name, step, precision in (
        *steps_of(problem, kind, device),
        ("the plain way: a step", plain.step, torch.float32),
    ):
        achieved = flops[name] / seconds_of(step, device)
        unit = f"FLOP/s, {str(precision)[6:]}"
        yield Reached(name, achieved, peaks[precision], unit)
    bandwidth = copy_bandwidth(device)
    for name, count, action in _gathers(problem, kind, device):
        yield Reached(name, count / seconds_of(action, device), bandwidth, "B/s")


def limit_rows(noisy_yx: NDArray[np.floating], device: torch.device) -> Iterator[str]:
    """Yield what is reached as rows of a Markdown table."""
    for one in reached(noisy_yx, device):
        numbers = f"{one.achieved / 1e9:.3g} | {one.limit / 1e9:.3g} G{one.unit}"
        yield f"| {one.name} | {numbers} | {100 * one.achieved / one.limit:.0f} % |"


def problem_of(noisy_yx: NDArray[np.floating]) -> NoisyPlane:
    """Return a plane under a noise model of its own."""
    plane, valid = noisy_yx[..., None], np.ones(noisy_yx.shape, dtype=bool)
    noise, curves = examine_plane(plane, valid)
    return NoisyPlane(plane, valid, valid, noise, (1.0, 1.0), curves)


def steps_of(
    problem: NoisyPlane, kind: torch.dtype, device: torch.device
) -> Iterator[tuple[str, Callable[[], object], torch.dtype]]:
    """Yield what the presets spend their time on."""
    every = problem.fitted_yx
    for preset in ("fast", "auto"):
        settings = preset_settings(preset, window_steps=10**6)
        fit = NeighbourhoodModel().plane_trainer(problem, every, settings, device)
        yield f"neighbourhood, {preset}: a step", fit.advance, kind
        rendering = settings.n_augmentations
        many = f"{rendering} orientations" if rendering > 1 else "one orientation"
        yield (
            f"neighbourhood, {preset}: rendering in {many}",
            lambda fit=fit, count=rendering: list(fit.predict(None, count)),
            kind,
        )
    settings = preset_settings("auto", attention_steps=10**6)
    second = AttentionModel().plane_trainer(problem, every, settings, device)
    yield "attention: a step", second.advance, kind
    yield (
        "attention: rendering in one orientation",
        lambda: list(second.predict(None, 1)),
        kind,
    )


def _gathers(
    problem: NoisyPlane, kind: torch.dtype, device: torch.device
) -> Iterator[tuple[str, int, Callable[[], object]]]:
    """Yield the windows' gathers and the bytes that they read and write."""
    settings, (height, width) = preset_settings("auto"), problem.fitted_yx.shape
    radius, size = settings.neighbourhood.radius, kind.itemsize
    places = torch.arange((2 * radius + 1) ** 2, device=device)
    planes = torch.ones(2, height, width, device=device).to(kind)
    windows = Windows(planes, radius, places)
    pixels = torch.arange(settings.neighbourhood.batch_size, device=device)
    rows, columns = pixels // width, pixels % width
    values = 2 * len(pixels) * len(places)
    # Values once read and once written, and the place of each that is read.
    yield (
        "windows around single pixels",
        values * (2 * size + 4),
        lambda: windows.around(rows, columns),
    )
    band = slice(0, min(32, height))
    values = 2 * band.stop * width * len(places)
    yield "windows of whole rows", 2 * values * size, lambda: windows.band(band)
