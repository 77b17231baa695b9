"""Which share of a run goes into which of its stages."""

from __future__ import annotations

import cProfile
import pstats
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_STAGES = {
    "noise": (("noise/estimate.py", "examine_plane"),),
    "training": (
        ("candidates/neighbourhood.py", "advance"),
        ("candidates/attention.py", "advance"),
        ("candidates/siren.py", "advance"),
    ),
    "rendering": (
        ("candidates/neighbourhood.py", "predict"),
        ("candidates/attention.py", "predict"),
        ("candidates/siren.py", "evaluate"),
    ),
    "judging": (("planes/plane.py", "finished_result"),),
}
"""Functions that are a stage; none of them calls another."""
STAGES = (*_STAGES, "other")
"""The stages by name: rendering has the evaluations during training in it."""


@contextmanager
def shares(wanted: bool) -> Iterator[dict[str, float]]:
    """Profile what is done inside; the shares are there at the end.

    On one thread, for no other than the caller's is seen: networks are then fitted one
    after the other. Tiles and planes that share networks are answered in others.

    On CUDA set CUDA_LAUNCH_BLOCKING=1, or the time of a kernel counts where it is
    waited for.
    """
    found: dict[str, float] = {}
    if not wanted:
        yield found
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with cProfile.Profile() as profile:
        yield found
    torch.set_num_threads(threads)
    stats = pstats.Stats(profile)
    total = stats.total_tt  # type: ignore[attr-defined]
    for stage, functions in _STAGES.items():
        found[stage] = sum(_seconds(stats, *one) for one in functions) / total
    found["other"] = 1 - sum(found.values())


def _seconds(stats: pstats.Stats, file: str, function: str) -> float:
    """Return the time inside a function and all that it calls."""
    table = stats.stats  # type: ignore[attr-defined]
    return float(
        sum(
            row[3]
            for (path, _, name), row in table.items()
            if name == function and path.endswith(f"core/{file}")
        )
    )
