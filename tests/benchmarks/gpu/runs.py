"""Sections on whole runs: correctness, seconds, bytes, cores, start, memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_inr_denoise.core.compute.devices import synchronize
from napari_inr_denoise.core.denoise import DenoiseResult, denoise_steps
from napari_inr_denoise.core.settings import DenoiseSettings, preset_settings
from tests import phantoms
from tests.benchmarks.gpu.place import Place, Row
from tests.benchmarks.images import entries, psnr, read_pairs

_OFF_DB = 0.1
"""Largest difference between the PSNR of two devices."""
_CPU = torch.device("cpu")
_MADE = 8
"""Planes of a large stack that differ in structure; the others mirror them."""
_FRAMES = ("Confocal_MICE/1", "WideField_BPAE_G/1")
Array = NDArray[np.floating]


@dataclass(frozen=True)
class Image:
    """A noisy image with its truth."""

    name: str
    axes: str
    noisy: Array
    truth: Array


@dataclass(frozen=True)
class Ended:
    """A run, which may have been stopped for want of time."""

    result: DenoiseResult | None
    seconds: float
    training_s: float
    progress: float


def _settings(preset: str, device: torch.device, place: Place) -> DenoiseSettings:
    small = {
        "width": 32,
        "depth": 2,
        "max_steps": 6,
        "judge_every": 3,
        "window_width": 16,
        "window_radius": 3,
        "window_steps": 6,
        "attention_width": 8,
        "attention_steps": 4,
        "n_augmentations": 2,
    }
    return preset_settings(preset, device=str(device), **(small if place.dry else {}))


def _run(image: Image, settings: DenoiseSettings, until: float = np.inf) -> Ended:
    """Denoise; stop when the time is over."""
    started, learned, progress = time.perf_counter(), 0.0, 0.0
    steps = denoise_steps(image.noisy, image.axes, settings)
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            synchronize(torch.device(settings.device))
            return Ended(end.value, time.perf_counter() - started, learned, 1.0)
        progress = step.progress
        if step.learning:
            learned = time.perf_counter() - started
        if time.time() > until:
            steps.close()
            return Ended(None, time.perf_counter() - started, learned, progress)


def _plane(side: int) -> Image:
    clean = phantoms.cells(side)
    return Image(f"cells {side}", "YX", phantoms.camera(clean), clean)


def _images(place: Place) -> Iterator[tuple[Image, tuple[str, ...], dict[str, str]]]:
    """Yield images of each kind, with presets and changes of their settings."""
    yield _plane(place.side(192)), ("fast", "auto"), {}
    side = place.side(128)
    clean = phantoms.cells(side)
    blurred = phantoms.with_blurred_noise(clean, 0.8)
    yield Image("correlated", "YX", blurred, clean), ("fast", "auto"), {}
    planes = 6
    several = np.stack([clean * (1 + 0.05 * k) for k in range(planes)])
    noisy = phantoms.camera(several)
    yield Image("stack", "ZYX", noisy, several), ("auto",), {}
    yield Image("RGB", "SYX", noisy[:3], several[:3]), ("auto",), {}
    yield Image("channels", "CYX", noisy[:3], several[:3]), ("fast",), {}
    yield _plane(side), ("paper",), {}
    small = noisy[:, :64, :64], several[:, :64, :64]
    yield Image("volume", "ZYX", *small), ("paper",), {"mode": "volume"}
    yield _plane(side), ("best",), {}
    if "INR_DENOISE_DATA" in os.environ:
        yield from _frames(place)


def _frames(place: Place) -> Iterator[tuple[Image, tuple[str, ...], dict[str, str]]]:
    """Yield parts of real frames."""
    from tests.benchmarks.images import data_folder

    for entry in entries(data_folder() / "fmd", _FRAMES):
        pair = next(read_pairs(entry, [], 0)).central(place.side(256))
        yield Image(pair.name, "YX", pair.noisy, pair.truth), ("fast", "auto"), {}


def correct(place: Place) -> Iterator[Row]:
    """Yield PSNR on the device and on the CPU."""
    for image, presets, changes in _images(place):
        for preset in presets:
            if not place.enough(12):
                yield {"skipped": f"{image.name}, {preset}"}
                continue
            found = {}
            for device in {place.device, _CPU}:  # on the CPU alone, one run
                settings = _settings(preset, device, place)
                settings = DenoiseSettings(**{**settings.to_dict(), **changes})
                found[device] = _run(image, settings)
            yield _compared(image, preset, found[place.device], found[_CPU])


def _compared(image: Image, preset: str, there: Ended, here: Ended) -> Row:
    assert there.result is not None
    assert here.result is not None
    levels = [psnr(one.result.image, image.truth) for one in (there, here)]  # type: ignore[union-attr]
    row: Row = {
        "image": image.name,
        "preset": preset,
        "dB_noisy": psnr(image.noisy, image.truth),
        "dB": levels[0],
        "dB_cpu": levels[1],
        "off_dB": levels[0] - levels[1],
        "s": there.seconds,
        "s_cpu": here.seconds,
    }
    if not abs(levels[0] - levels[1]) <= _OFF_DB:
        row["wrong"] = f"{image.name}, {preset}: {levels[0] - levels[1]:+.2f} dB"
    notes = [
        set() if one.result is None else set(one.result.report.files[0].notes)
        for one in (there, here)
    ]
    if new := notes[0] - notes[1]:
        row["wrong"] = f"{image.name}, {preset}: {'; '.join(sorted(new))}"
    return row


def seconds(place: Place) -> Iterator[Row]:
    """Yield seconds and peak memory by size; the first run of each is cold."""
    for side, presets in (
        (256, ("fast", "auto")),
        (512, ("fast", "auto", "paper", "best")),
        (1024, ("fast", "auto")),
    ):
        image = _plane(place.side(side))
        for preset in presets:
            for run in ("first",) if place.dry else ("first", "second"):
                if place.enough(8):
                    yield _timed(image, preset, place, run)
                else:
                    yield {"skipped": f"{image.name}, {preset}, {run}"}


def large(place: Place) -> Iterator[Row]:
    """Yield the same of a plane in tiles, and of a large stack."""
    for shape, preset in (
        ((1, 2048, 2048), "fast"),
        ((1, 2048, 2048), "auto"),
        ((64, 1024, 1024), "auto"),
    ):
        if not place.enough(15):
            yield {"skipped": f"{shape}, {preset}"}
            continue
        yield _timed(_large(shape, place), preset, place, "first")


def _large(shape: tuple[int, int, int], place: Place) -> Image:
    """Return an image with structure of the same kind at any size."""
    depth, height, width = shape
    if place.dry:
        depth, height, width = min(depth, 3), 48, 48
    few = phantoms.tissue(min(height, 512), seed=5) * 60 + 3
    times = -(-height // few.shape[0])
    clean = np.tile(few, (times, times))[:height, :width]
    levels = 1 + 0.03 * np.arange(min(depth, _MADE))
    truth = np.stack([clean * level for level in levels]).astype(np.float32)
    order = [*range(len(truth)), *range(len(truth))[::-1]]
    truth = truth[[order[k % len(order)] for k in range(depth)]]
    noisy = np.random.default_rng(7).poisson(truth).astype(np.float32)
    return Image(f"{depth}x{height}x{width}", "ZYX", noisy, truth)


def _timed(image: Image, preset: str, place: Place, run: str) -> Row:
    cuda = place.device.type == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats(place.device)
    settings = _settings(preset, place.device, place)
    ended = _run(image, settings, np.inf if place.dry else place.until)
    done = ended.result
    row: Row = {
        "image": image.name,
        "preset": preset,
        "run": run,
        "s": ended.seconds,
        "s_of_training": ended.training_s,
        "s_in_all": ended.seconds / max(ended.progress, 1e-3),
        "dB_noisy": psnr(image.noisy, image.truth),
        "dB": None if done is None else psnr(done.image, image.truth),
        "peak_MB": torch.cuda.max_memory_allocated() / 1e6 if cuda else None,
        "reserved_MB": torch.cuda.max_memory_reserved() / 1e6 if cuda else None,
    }
    if done is None:
        row["skipped"] = f"{image.name}, {preset}: stopped at {ended.progress:.0%}"
    elif done.report.files[0].notes:
        row["wrong"] = "; ".join(done.report.files[0].notes)
    return row


def same(place: Place) -> Iterator[Row]:
    """Yield whether the same seed gives the same bytes again."""
    image = _plane(place.side(256))
    for preset in ("fast", "auto", "paper", "best"):
        if not place.enough(8):
            yield {"skipped": preset}
            continue
        settings = _settings(preset, place.device, place)
        first, second = (_run(image, settings).result for _ in range(2))
        assert first is not None
        assert second is not None
        off = float(np.abs(first.image - second.image).max())
        row: Row = {"preset": preset, "largest_difference": off}
        if off > 0:
            row["wrong"] = f"{preset}: another image from the same seed, by {off:.3g}"
        yield row


def cores(place: Place) -> Iterator[Row]:
    """Yield seconds on the CPU by the number of threads."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    most = max(here, 2) if place.dry else here
    usual, counts = torch.get_num_threads(), [k for k in (1, 2, 4, 8, 16) if k <= most]
    for image, preset in _for_cores(place):
        alone = 0.0
        for count in counts:
            if not place.enough(1.5 * alone / count + 1):
                yield {"skipped": f"{image.name}, {count} threads"}
                continue
            torch.set_num_threads(count)
            used = time.process_time()
            ended = _run(image, _settings(preset, _CPU, place))
            torch.set_num_threads(usual)
            alone = alone or ended.seconds
            yield {
                "image": image.name,
                "preset": preset,
                "threads": count,
                "s": ended.seconds,
                "s_of_CPU": time.process_time() - used,
                "speed_up": alone / ended.seconds,
            }


def _for_cores(place: Place) -> Iterator[tuple[Image, str]]:
    yield _plane(place.side(256)), "auto"
    if place.dry:
        return
    clean = np.stack([phantoms.cells(place.side(192))] * 4)
    noisy = phantoms.camera(clean)
    yield Image("4 channels", "CYX", noisy, clean), "fast"
    yield Image("4 planes", "ZYX", noisy, clean), "fast"


_START = """
import time
begun = time.perf_counter()
import numpy, torch
print(time.perf_counter() - begun)
from napari_inr_denoise.core.denoise import denoise_steps
print(time.perf_counter() - begun)
from napari_inr_denoise.core.settings import preset_settings
noisy = numpy.random.default_rng(0).poisson(20.0, ({side}, {side}))
settings = preset_settings("auto", device={device!r})
for number, step in enumerate(denoise_steps(noisy, "YX", settings)):
    if number == 0 or step.fit.step > 1:
        print(time.perf_counter() - begun)
    if step.fit.step > 1:
        break
"""


def start(place: Place) -> Iterator[Row]:
    """Yield seconds from the start of Python to the first steps of a training."""
    program = _START.format(device=str(place.device), side=place.side(256))
    for run in ("first",) if place.dry else ("first", "second"):
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=False,
            timeout=max(place.until - time.time(), 5),
        )
        whole = time.perf_counter() - begun
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        numbers = [float(line) for line in done.stdout.split()]
        row: Row = {"run": run, "whole_s": whole}
        names = ("torch_s", "core_s", "first_noise_s", "first_steps_s")
        yield {**row, **dict(zip(names, numbers, strict=True))}


def memory(place: Place) -> Iterator[Row]:
    """Yield what a run says and gives when the device's memory runs out."""
    if place.device.type != "cuda":
        yield {"skipped": "only for CUDA"}
        return
    image, settings = _plane(place.side(768)), _settings("fast", place.device, place)
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(place.device)
    _run(image, settings)
    half = torch.cuda.max_memory_reserved(place.device) / 2
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(place.device).total_memory
    torch.cuda.set_per_process_memory_fraction(half / total)
    try:
        ended = _run(image, settings, place.until)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    level = None if ended.result is None else psnr(ended.result.image, image.truth)
    notes = () if ended.result is None else ended.result.report.files[0].notes
    row: Row = {"s": ended.seconds, "dB": level, "notes": "; ".join(notes) or None}
    yield row if notes else {**row, "wrong": "memory did not run out, or no note"}
