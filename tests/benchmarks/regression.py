"""Whether the fits have become slower or worse than they were, in half a minute.

CPU time of training steps, renderings and the noise estimate over that of a fixed
reference (matrix products, sums and copies of known size), in turns in one process and
on one thread: ratios that a slow or busy machine changes little. They are compared with
recorded ones and may be 30 % above; PSNR may fall by 0.1 dB:

    python -m tests.benchmarks.regression
    python -m tests.benchmarks.regression --record

What is too slow is measured again, and the least of all turns counts. How many threads
a step keeps busy is not seen here: `tests.benchmarks.speed` tells.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch

from napari_inr_denoise import denoise
from napari_inr_denoise.core.candidates.siren import _Fit
from napari_inr_denoise.core.compute.precision import product_dtype
from napari_inr_denoise.core.noise.estimate import examine_plane
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.settings import preset_settings
from napari_inr_denoise.samples import field_of_cells
from tests.benchmarks.images import psnr
from tests.benchmarks.limits import problem_of, steps_of

BASELINE = Path(__file__).with_name("baseline.json")
SLOWER = 1.3
"""A ratio that so many times surpasses the recorded one is a failure."""
LOWER_DB = 0.1
_TURNS = 8
_SIDE = 192
_CPU = torch.device("cpu")
Actions = dict[str, Callable[[], object]]
Found = dict[str, dict[str, float]]
"""Ratios and PSNR by name."""


def main() -> None:
    """Compare with the record, or make one; exit code 1 if a fit has fallen back."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--record", action="store_true", help="write a new baseline")
    record = parser.parse_args().record
    known = json.loads(BASELINE.read_text("utf-8")) if BASELINE.exists() else {}
    if record:
        known[kind_of_machine()] = _found()
        BASELINE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
    elif kind_of_machine() in known:
        sys.exit("\n".join(_failures(known[kind_of_machine()])) or 0)
    else:
        sys.exit(f"{BASELINE.name}: nothing of {kind_of_machine()}; --record makes it.")


def _failures(recorded: Found) -> list[str]:
    """Return what has fallen back; what seems slower is measured again."""
    found = _found()
    failures = compared(recorded, found)
    if any(one.startswith("Slower") for one in failures):
        ratios, again = found["ratios"], _found()["ratios"]
        least = {name: min(ratios[name], again[name]) for name in ratios}
        found = {**found, "ratios": least}
        failures = compared(recorded, found)
    for part, values in found.items():
        for name, value in values.items():
            print(f"{name}: {value:.3f} (recorded {recorded[part][name]:.3f})")
    return failures


def _found() -> Found:
    with _one_thread():
        actions = actions_on(problem_of(field_of_cells(side=_SIDE).noisy))
        parts = {"ratios": measured(actions), "psnr": quality()}
    return {
        part: {name: round(value, 4) for name, value in values.items()}
        for part, values in parts.items()
    }


def kind_of_machine() -> str:
    """Return the precision of products, and whether AMX is there for them.

    With either the ratios are others: products of the reference, too, are faster.
    """
    precision = str(product_dtype(_CPU))[6:]
    known = (
        torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    )
    amx = precision == "bfloat16" and known.get("amx_bf16", False)
    return f"{precision}, AMX" if amx else precision


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def actions_on(problem: NoisyPlane) -> Actions:
    """Return what is timed, by name."""
    siren = _Fit(problem, preset_settings("paper"), _CPU)
    kind = product_dtype(_CPU)
    return {
        **{name: act for name, act, _ in steps_of(problem, kind, _CPU)},
        "SIREN, paper: a step": lambda: siren.advance(1),
        "noise": lambda: examine_plane(problem.plane_yxs, problem.valid_yx),
    }


def measured(actions: Actions) -> dict[str, float]:
    """Return the time of each action over that of the reference.

    The least of several turns, in each of which all have their turn: what comes in
    between can only make them longer.
    """
    everything: Actions = {"": Reference().run, **actions}
    best = dict.fromkeys(everything, float("inf"))
    for turn in range(_TURNS + 1):
        for name, action in everything.items():
            started = time.process_time()
            action()
            if turn > 0:
                best[name] = min(best[name], time.process_time() - started)
    reference = best.pop("")
    return {name: seconds / reference for name, seconds in best.items()}


def quality() -> dict[str, float]:
    """Return the PSNR of two presets on a phantom, in dB."""
    found = {}
    for preset, side in (("fast", 128), ("auto", 96)):
        sample = field_of_cells(side=side)
        settings = replace(preset_settings(preset, device="cpu"), attention_steps=60)
        image = denoise(sample.noisy, settings=settings).image
        found[f"PSNR, {preset}"] = psnr(image, sample.truth)
    return found


def compared(recorded: Found, found: Found) -> list[str]:
    """Return what has fallen back, a sentence each."""
    ratios, levels = recorded["ratios"], recorded["psnr"]
    slower = [
        f"Slower: {name} takes {ratio / ratios[name]:.2f} of what it took."
        for name, ratio in found["ratios"].items()
        if ratio > SLOWER * ratios[name]
    ]
    worse = [
        f"Worse: {name} is {level:.2f} dB, it was {levels[name]:.2f}."
        for name, level in found["psnr"].items()
        if not level >= levels[name] - LOWER_DB
    ]
    return slower + worse


class Reference:
    """Matrix products, sums and copies of the sizes that a step has."""

    _TIMES = 40

    def __init__(self) -> None:
        start = torch.Generator().manual_seed(0)
        kind = product_dtype(_CPU)
        self._values = torch.randn(2048, 256, generator=start).to(kind)
        self._weights = torch.randn(256, 128, generator=start).to(kind)
        self._plane = torch.randn(512, 512, generator=start)

    def run(self) -> None:
        """Do the work once."""
        for _ in range(self._TIMES):
            torch.relu(self._values @ self._weights).float().sum()
            (2 * self._plane + 1).clone()


if __name__ == "__main__":
    main()
