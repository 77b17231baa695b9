"""Outliers of a run: planes that look wrong, and files that differ from the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from napari_inr_denoise.core.report.report import FileReport, PlaneReport
from napari_inr_denoise.core.report.stop_reason import StopReason
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.core.report.warning import PlaneWarning

_RESIDUAL = 1.15
"""Residual over noise above which more than noise was removed, as in the verdict."""
_MEAN_FRACTION, _MEAN_SIGMAS = 0.01, 0.05
"""Smallest change of the mean of a plane: relative, and in units of the noise."""
_MIN_FILES = 8
"""Number of results from which on files are compared."""
_MAX_SIGMAS, _MIN_DIFFERENCE = 5.0, 0.05
_WARNING_WEIGHT = 1.2
_MAD_TO_SIGMA = 1.4826
_REASON_WEIGHTS = {
    StopReason.NON_FINITE: 5.0,
    StopReason.BUDGET: 1.5,
    StopReason.CALLER: 1.0,
    StopReason.TOO_FEW_PIXELS: 1.0,
    StopReason.NO_NOISE: 0.5,
}


@dataclass(frozen=True, order=True)
class Oddity:
    """A finding on a plane or file: weight in arbitrary units, and a sentence."""

    weight: float
    words: str


def residual_ratio(plane: PlaneReport) -> float | None:
    """Return the residual over the noise; None if the noise is not known."""
    return plane.residual_rms / plane.noise.sigma if plane.noise.sigma else None


def mean_change(plane: PlaneReport) -> float | None:
    """Return the relative change of the mean; None if it is not known."""
    before, after = plane.mean_before, plane.mean_after
    return None if not before or after is None else (after - before) / abs(before)


def oddities_of(plane: PlaneReport) -> list[Oddity]:
    """Return the findings on a plane, the worst first."""
    checks = (_check_stop_reason, _check_residual, _check_mean, _check_warnings)
    found = [oddity for check in checks for oddity in check(plane)]
    return sorted(found, reverse=True)


def _check_warnings(plane: PlaneReport) -> list[Oddity]:
    keys = plane.quality.warnings
    return [Oddity(_WARNING_WEIGHT, PlaneWarning(key).sentence) for key in keys]


def _check_stop_reason(plane: PlaneReport) -> list[Oddity]:
    reason = StopReason(plane.reason)
    if reason not in _REASON_WEIGHTS:
        return []
    return [Oddity(_REASON_WEIGHTS[reason], reason.sentence)]


def _check_residual(plane: PlaneReport) -> list[Oddity]:
    ratio = residual_ratio(plane) or 0.0
    found = []
    if plane.quality.verdict == Verdict.STRUCTURE.value:
        found.append(Oddity(3.0, Verdict.STRUCTURE.sentence))
    if ratio > _RESIDUAL:
        words = f"Residual {ratio:.2f} times the noise."
        found.append(Oddity(2.0 + 10 * (ratio - 1), words))
    return found


def _check_mean(plane: PlaneReport) -> list[Oddity]:
    change = mean_change(plane)
    if change is None or not plane.mean_before or not plane.noise.sigma:
        return []
    sigmas = abs(change * plane.mean_before) / plane.noise.sigma
    if abs(change) <= _MEAN_FRACTION or sigmas <= _MEAN_SIGMAS:
        return []
    return [Oddity(2.0 + sigmas, f"Mean intensity changed by {change:+.1%}.")]


def worst_plane(file: FileReport) -> int | None:
    """Return the number of the worst plane, or of the middle one without findings."""
    if not file.planes:
        return None
    weights = [sum(o.weight for o in oddities_of(one)) for one in file.planes]
    if max(weights) > 0:
        return weights.index(max(weights))
    return len(weights) // 2


def unusual_ratios(files: Sequence[FileReport]) -> dict[int, Oddity]:
    """Return findings on files with an unusual residual over noise, by file number."""
    ratios = {k: _median_ratio(file) for k, file in enumerate(files)}
    known = {k: ratio for k, ratio in ratios.items() if not math.isnan(ratio)}
    if len(known) < _MIN_FILES:
        return {}
    middle = median(known.values())
    spread = _MAD_TO_SIGMA * median(abs(r - middle) for r in known.values())
    apart = max(_MAX_SIGMAS * spread, _MIN_DIFFERENCE)
    return {
        k: Oddity(
            1.0 + abs(ratio - middle),
            f"Residual {ratio:.2f} x noise, where {middle:.2f} is usual in this run.",
        )
        for k, ratio in known.items()
        if abs(ratio - middle) > apart
    }


def _median_ratio(file: FileReport) -> float:
    """Return the median over the planes; NaN if no ratio is known."""
    ratios = [r for plane in file.planes if (r := residual_ratio(plane)) is not None]
    return median(ratios) if ratios else math.nan
