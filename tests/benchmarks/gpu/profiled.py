"""Section on one run of `auto`: by kernel, with the gaps that the host leaves."""

from __future__ import annotations

import cProfile
import io
import pstats
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity

from napari_inr_denoise import denoise
from napari_inr_denoise.core.compute.devices import synchronize
from napari_inr_denoise.core.settings import preset_settings
from tests import phantoms
from tests.benchmarks.gpu.place import Place, Row

_MOST = 15
"""Kernels, and functions, that are told."""
_BOUNDS_US = (0.0, 10.0, 100.0, 1e3, 1e4, np.inf)
"""Bounds of the classes of gaps, in microseconds."""


def profile(place: Place) -> Iterator[Row]:
    """Yield kernels by their time, gaps by their length, and functions of the host."""
    noisy = phantoms.camera(phantoms.cells(place.side(512)))
    changes = {"window_steps": 4, "window_width": 16} if place.dry else {}
    settings = preset_settings("auto", device=str(place.device), **changes)

    def run() -> float:
        started = time.perf_counter()
        denoise(noisy, axes="YX", settings=settings)
        synchronize(place.device)
        return time.perf_counter() - started

    run()
    plain = run()
    activities = [ProfilerActivity.CPU]
    if place.device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    with torch.profiler.profile(activities=activities) as profiler:
        wall = run()
    events = [one for one in profiler.events() if _counts(one, place)]
    yield from _kernels(events, wall)
    yield {"plain_s": plain, "profiled_s": wall, **_busy(events, wall)}
    yield from _gaps(events)
    table = profiler.key_averages().table(row_limit=60)
    (place.folder / "profile.txt").write_text(table, "utf-8")
    if place.enough(2 * plain):
        yield from _functions(run, place)


def _counts(event: FunctionEvent, place: Place) -> bool:
    """Return whether an event is work of the device; on the CPU, no part of another."""
    kind = torch.autograd.DeviceType
    if place.device.type == "cuda":
        return bool(event.device_type == kind.CUDA)
    return bool(event.device_type == kind.CPU and event.cpu_parent is None)


def _kernels(events: list[FunctionEvent], wall: float) -> Iterator[Row]:
    times: dict[str, list[float]] = {}
    for event in events:
        times.setdefault(event.name, []).append(event.time_range.elapsed_us())
    longest = sorted(times.items(), key=lambda item: -sum(item[1]))
    for name, each in longest[:_MOST]:
        yield {
            "kernel": name[:70],
            "calls": len(each),
            "ms": sum(each) / 1e3,
            "us_each": float(np.median(each)),
            "percent_of_wall": sum(each) / wall / 1e4,
        }


def _spans(events: list[FunctionEvent]) -> NDArray[np.float64]:
    """Return starts and ends of the times at work, in microseconds, (N, 2)."""
    each = sorted((one.time_range.start, one.time_range.end) for one in events)
    spans: list[list[float]] = []
    for start, end in each:
        if spans and start <= spans[-1][1]:
            spans[-1][1] = max(spans[-1][1], end)
        else:
            spans.append([start, end])
    return np.array(spans, dtype=np.float64).reshape(-1, 2)


def _busy(events: list[FunctionEvent], wall: float) -> Row:
    spans = _spans(events)
    busy = float((spans[:, 1] - spans[:, 0]).sum()) / 1e6
    return {"busy_s": busy, "busy_percent": 100 * busy / wall, "kernels": len(events)}


def _gaps(events: list[FunctionEvent]) -> Iterator[Row]:
    spans = _spans(events)
    gaps = spans[1:, 0] - spans[:-1, 1]
    for low, high in pairwise(_BOUNDS_US):
        some = gaps[(gaps >= low) & (gaps < high)]
        yield {
            "gaps_from_us": low,
            "gaps_to_us": None if np.isinf(high) else high,
            "count": len(some),
            "s": float(some.sum()) / 1e6,
        }


def _functions(run: Callable[[], object], place: Place) -> Iterator[Row]:
    """Yield the functions of the host's thread by their own time."""
    with cProfile.Profile() as profile:
        run()
    text = io.StringIO()
    stats = pstats.Stats(profile, stream=text)
    stats.sort_stats("tottime").print_stats(60)
    stats.sort_stats("cumtime").print_stats(80)
    with (place.folder / "profile.txt").open("a", encoding="utf-8") as file:
        file.write(text.getvalue())
    rows = stats.stats.items()  # type: ignore[attr-defined]
    for (path, line, name), (_, calls, own, whole, _) in sorted(
        rows, key=lambda item: -item[1][2]
    )[:_MOST]:
        where = f"{path.rpartition('/')[2]}:{line} {name}"
        yield {"function": where[:60], "calls": calls, "own_s": own, "whole_s": whole}
