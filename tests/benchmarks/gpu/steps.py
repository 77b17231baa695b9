"""Sections on training steps: limits, recordings, the fused sine, streams."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from unittest.mock import patch

import numpy as np
import torch
from torch import Tensor, nn

from napari_inr_denoise.core.candidates.attention import AttentionModel
from napari_inr_denoise.core.candidates.base import BlindSpotModel
from napari_inr_denoise.core.candidates.neighbourhood import NeighbourhoodModel
from napari_inr_denoise.core.candidates.siren import _Fit
from napari_inr_denoise.core.compute import cuda_graphs
from napari_inr_denoise.core.compute.concurrency import fit_concurrently
from napari_inr_denoise.core.compute.devices import synchronize
from napari_inr_denoise.core.compute.optimization import optimizer
from napari_inr_denoise.core.compute.precision import product_dtype
from napari_inr_denoise.core.networks import fused_sine
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.settings import preset_settings
from tests import phantoms
from tests.benchmarks.gpu.place import Place, Row
from tests.benchmarks.limits import (
    copy_bandwidth,
    problem_of,
    product_peak,
    reached,
    seconds_of,
)
from tests.core.replayed import Replayed

_OFF = 0.05
"""Largest distance of weights trained by recordings, over how far they moved."""
_CHECKED = 6
"""Steps after which they are compared; later, roundings have grown."""


def limits(place: Place) -> Iterator[Row]:
    """Yield what the machine can do at best."""
    for kind in dict.fromkeys((torch.float32, product_dtype(place.device))):
        peak = product_peak(place.device, kind)
        name = f"matrix product, {str(kind)[6:]}"
        yield {"limit": name, "T_a_second": peak / 1e12, "unit": "FLOP"}
    bandwidth = copy_bandwidth(place.device)
    yield {"limit": "copy", "T_a_second": bandwidth / 1e12, "unit": "B"}


@dataclass(frozen=True)
class Fitted:
    """A network in training: a function that takes a step, and the weights."""

    advance: Callable[[], None]
    network: nn.Module


def _problem(side: int) -> NoisyPlane:
    return problem_of(phantoms.camera(phantoms.cells(side)))


def _fits(problem: NoisyPlane, place: Place) -> dict[str, Callable[[], Fitted]]:
    """Return functions that begin a training, by the network's name."""
    small = {"window_width": 16, "attention_width": 8, "width": 32} if place.dry else {}

    def blind(model: BlindSpotModel, preset: str) -> Fitted:
        changes = {"window_steps": 10**6, "attention_steps": 10**6, **small}
        settings = preset_settings(preset, **changes)
        targets = problem.fitted_yx
        trainer = model.plane_trainer(problem, targets, settings, place.device)
        return Fitted(trainer.advance, trainer._network)  # type: ignore[attr-defined]

    def siren() -> Fitted:
        fit = _Fit(problem, preset_settings("paper", **small), place.device)
        return Fitted(lambda: fit.advance(1), fit._network)

    return {
        "neighbourhood, fast": lambda: blind(NeighbourhoodModel(), "fast"),
        "neighbourhood, auto": lambda: blind(NeighbourhoodModel(), "auto"),
        "attention": lambda: blind(AttentionModel(), "best"),
        "siren": siren,
    }


def graphs(place: Place) -> Iterator[Row]:
    """Yield whether steps are recorded, or why not, and what recordings gain."""
    problem, count = _problem(place.side(512)), 4 if place.dry else 60
    for name, begin in _fits(problem, place).items():
        with patch.object(optimizer, "graphs_for", lambda _: None):
            eager = _trained(begin, count, place)
        why: list[str] = []
        with _recording(place, why):
            recorded = _trained(begin, count, place)
        notes = [*why, *cuda_graphs._failures.values()]
        cuda_graphs._failures.clear()
        off = _distance(recorded.end, eager.end) / _distance(eager.end, eager.start)
        row: Row = {
            "network": name,
            "recorded": not notes,
            "ms_recorded": 1e3 * recorded.seconds,
            "ms_eager": 1e3 * eager.seconds,
            "first_step_s": recorded.first,
            "weights_off": off,
            "peak_MB": _peak(place),
        }
        if notes:
            row["wrong"] = f"{name} is not recorded: {notes[-1].splitlines()[0][:200]}"
            (place.folder / "graphs.txt").write_text("\n\n".join(notes), "utf-8")
        elif not off < _OFF:
            row["wrong"] = f"{name}: recorded steps train other weights"
        yield row


@dataclass(frozen=True)
class _Trained:
    """Weights before and after a few steps, seconds a step and of the first."""

    start: list[Tensor]
    end: list[Tensor]
    seconds: float
    first: float


def _trained(begin: Callable[[], Fitted], count: int, place: Place) -> _Trained:
    fitted, times, early = begin(), [], []
    start = _weights(fitted.network)
    # The first step records. A recording of other inputs or shapes may follow.
    for some in (1, _CHECKED - 1, count):
        started = time.perf_counter()
        for _ in range(some):
            fitted.advance()
        synchronize(place.device)
        times.append((time.perf_counter() - started) / some)
        early.append(_weights(fitted.network))
    return _Trained(start, early[1], times[-1], times[0])


def _weights(network: nn.Module) -> list[Tensor]:
    return [one.detach().cpu().clone() for one in network.parameters()]


def _distance(some: list[Tensor], others: list[Tensor]) -> float:
    pairs = zip(some, others, strict=True)
    return float(sum((one - other).square().sum() for one, other in pairs)) ** 0.5


@contextmanager
def _recording(place: Place, why: list[str]) -> Iterator[None]:
    """Keep the whole traceback of a recording that fails; on the CPU, imitate one."""
    if place.device.type != "cuda":
        with patch.object(optimizer, "graphs_for", lambda _: Replayed()):
            yield
        return
    usual = cuda_graphs.CudaGraphs.record

    def record(
        self: cuda_graphs.CudaGraphs, work: Callable[[], None]
    ) -> Callable[[], None]:
        try:
            return usual(self, work)
        except BaseException:
            why.append(traceback.format_exc())
            raise

    with patch.object(cuda_graphs.CudaGraphs, "record", record):
        yield


def share(place: Place) -> Iterator[Row]:
    """Yield how near to the limits the steps come."""
    noisy = phantoms.camera(phantoms.cells(place.side(512)))
    for one in reached(noisy, place.device):
        yield {
            "step": one.name,
            "reached_G": one.achieved / 1e9,
            "limit_G": one.limit / 1e9,
            "unit": one.unit,
            "percent": 100 * one.achieved / one.limit,
        }


def sine(place: Place) -> Iterator[Row]:
    """Yield whether the fused sine is taken, or why not, and what it gains."""
    chosen = fused_sine._best(place.device)
    eager = fused_sine._step_by_step
    yield {"fused_is_chosen": chosen is not eager}
    try:
        from napari_inr_denoise.core.networks.sine_kernels import FusedSine

        fused = FusedSine.apply
        pairs = zip(
            _sines(fused, 70, 40, place), _sines(eager, 70, 40, place), strict=True
        )
        off = [float((a - b).norm() / b.norm()) for a, b in pairs]
    except Exception as error:  # noqa: BLE001 - the reason is what is asked for
        (place.folder / "sine.txt").write_text(traceback.format_exc(), "utf-8")
        said = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {said[-1][:150] if said else ''}"
        # Triton is no need, and its interpreter is not on every CPU.
        missing = isinstance(error, ImportError) and place.device.type == "cpu"
        yield {"reason": reason} if missing else {"wrong": reason}
        return
    names = ("sines", "gradient of the products", "gradient of the bias")
    yield from ({"of": a, "off": b} for a, b in zip(names, off, strict=True))
    limit = copy_bandwidth(place.device)
    for rows, width in ((64, 32),) if place.dry else ((4096, 256), (65536, 256)):
        times = [
            seconds_of(partial(_sines, each, rows, width, place), place.device)
            for each in (fused, eager)
        ]
        # Products and gradients, each read or written once, in bfloat16.
        least = 5 * 2 * rows * width / limit
        yield {
            "rows": rows,
            "width": width,
            "us_fused": 1e6 * times[0],
            "us_eager": 1e6 * times[1],
            "us_at_the_limit": 1e6 * least,
        }


def _sines(
    function: fused_sine.Sine, rows: int, width: int, place: Place
) -> list[Tensor]:
    """Return sines, and the gradients of products and bias."""
    draw = torch.Generator().manual_seed(0)
    products = torch.randn((rows, width), generator=draw)
    leaves = [
        products.to(place.device, torch.bfloat16).requires_grad_(),
        torch.randn(width, generator=draw).to(place.device).requires_grad_(),
    ]
    found = function(*leaves, 30.0, torch.bfloat16)
    gradients = torch.autograd.grad(found.float().sum(), leaves)
    return [one.detach().float() for one in (found, *gradients)]


def streams(place: Place) -> Iterator[Row]:
    """Yield how long networks take at once, and one after the other."""
    problem, count = _problem(place.side(256)), 4 if place.dry else 150
    for name in ("neighbourhood, auto", "attention"):
        begin = _fits(problem, place)[name]
        for networks in (1, 2, 4):
            if not place.enough(8):
                yield {"skipped": f"{networks} x {name}"}
                continue
            alone = sum(_steps_alone(begin, count, place) for _ in range(networks))
            fits = [_stepping(begin, count) for _ in range(networks)]
            synchronize(place.device)
            started = time.perf_counter()
            for _ in fit_concurrently(fits, place.device):
                pass
            synchronize(place.device)
            together = time.perf_counter() - started
            yield {
                "network": name,
                "networks": networks,
                "s_at_once": together,
                "s_one_by_one": alone,
                "ratio": alone / together,
            }


def _steps_alone(begin: Callable[[], Fitted], count: int, place: Place) -> float:
    started = time.perf_counter()
    for _ in _stepping(begin, count):
        pass
    synchronize(place.device)
    return time.perf_counter() - started


def _stepping(begin: Callable[[], Fitted], count: int) -> Generator[None, None, None]:
    """Begin a training and take steps; yields after each."""
    fitted = begin()
    for _ in range(count):
        fitted.advance()
        yield


def _peak(place: Place) -> float | None:
    if place.device.type != "cuda":
        return None
    peak = torch.cuda.max_memory_allocated(place.device) / 1e6
    torch.cuda.reset_peak_memory_stats(place.device)
    return float(np.round(peak, 1))
