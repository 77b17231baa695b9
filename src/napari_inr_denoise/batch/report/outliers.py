"""What stands out in a run: planes by themselves, files among the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from napari_inr_denoise.core.report.report import FileReport, PlaneReport
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.verdict import Verdict

_RESIDUAL = 1.15
"""Residual over noise above which more went than noise, as the verdict has it."""
_MEAN_SHARE, _MEAN_SIGMAS = 0.01, 0.05
"""Change of a plane's mean that counts: of the mean, and of the noise."""
_LEAST_FILES = 8
"""So many results say what is usual."""
_SPREADS, _LEAST_APART = 5.0, 0.05
_MAD_TO_SIGMA = 1.4826
_UNUSUAL_ENDS = {
    StopReason.NON_FINITE: 5.0,
    StopReason.BUDGET: 1.5,
    StopReason.CALLER: 1.0,
    StopReason.TOO_FEW_PIXELS: 1.0,
    StopReason.NO_NOISE: 0.5,
}


@dataclass(frozen=True, order=True)
class Oddity:
    """Something that stands out: how much, in arbitrary units, and in words."""

    weight: float
    words: str


def residual_ratio(plane: PlaneReport) -> float | None:
    """Return the residual over the noise; None where the noise is not known."""
    return plane.residual_rms / plane.sigma if plane.sigma else None


def mean_change(plane: PlaneReport) -> float | None:
    """Return the change of the mean in units of the mean before; None without one."""
    before, after = plane.mean_before, plane.mean_after
    return None if not before or after is None else (after - before) / abs(before)


def oddities_of(plane: PlaneReport) -> list[Oddity]:
    """Return what stands out in a plane by itself, the worst first."""
    found = [*_of_the_end(plane), *_of_what_was_removed(plane), *_of_the_mean(plane)]
    return sorted(found, reverse=True)


def _of_the_end(plane: PlaneReport) -> list[Oddity]:
    reason = StopReason(plane.reason)
    if reason not in _UNUSUAL_ENDS:
        return []
    return [Oddity(_UNUSUAL_ENDS[reason], reason.sentence)]


def _of_what_was_removed(plane: PlaneReport) -> list[Oddity]:
    ratio = residual_ratio(plane) or 0.0
    found = []
    if plane.verdict == Verdict.STRUCTURE.value:
        found.append(Oddity(3.0, Verdict.STRUCTURE.sentence))
    if ratio > _RESIDUAL:
        words = f"What was removed is {ratio:.2f} times the noise."
        found.append(Oddity(2.0 + 10 * (ratio - 1), words))
    return found


def _of_the_mean(plane: PlaneReport) -> list[Oddity]:
    change = mean_change(plane)
    if change is None or not plane.mean_before or not plane.sigma:
        return []
    sigmas = abs(change * plane.mean_before) / plane.sigma
    if abs(change) <= _MEAN_SHARE or sigmas <= _MEAN_SIGMAS:
        return []
    return [Oddity(2.0 + sigmas, f"The mean intensity changed by {change:+.1%}.")]


def worst_plane(file: FileReport) -> int | None:
    """Return the number of the plane that stands out most, or else the middle one."""
    if not file.planes:
        return None
    weights = [sum(o.weight for o in oddities_of(one)) for one in file.planes]
    if max(weights) > 0:
        return weights.index(max(weights))
    return len(weights) // 2


def unusual_ratios(files: Sequence[FileReport]) -> dict[int, Oddity]:
    """Return, by number, files whose residual over noise is far from the others'."""
    ratios = {k: _usual_ratio(file) for k, file in enumerate(files)}
    known = {k: ratio for k, ratio in ratios.items() if not math.isnan(ratio)}
    if len(known) < _LEAST_FILES:
        return {}
    middle = median(known.values())
    spread = _MAD_TO_SIGMA * median(abs(r - middle) for r in known.values())
    apart = max(_SPREADS * spread, _LEAST_APART)
    return {
        k: Oddity(
            1.0 + abs(ratio - middle),
            f"Residual {ratio:.2f} x noise, where {middle:.2f} is usual in this run.",
        )
        for k, ratio in known.items()
        if abs(ratio - middle) > apart
    }


def _usual_ratio(file: FileReport) -> float:
    """Return the median over the planes; NaN where none is known."""
    ratios = [r for plane in file.planes if (r := residual_ratio(plane)) is not None]
    return median(ratios) if ratios else math.nan
