"""Record of a plane for the report, made from the records of its tiles."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.ensemble.quality import FEW_FILL, Quality
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.report.report import (
    NoiseRecord,
    PlaneReport,
    QualityRecord,
)
from napari_inr_denoise.core.report.stop_rules import StopRules
from napari_inr_denoise.core.report.verdict import Verdict
from napari_inr_denoise.core.report.warning import PlaneWarning

_BINS = 8
_APART = 1.1
"""Factor from which two noise levels are not the same."""
_WORST_LAST = (Verdict.NOISE_ONLY, Verdict.CORRELATED, Verdict.STRUCTURE)


@dataclass(frozen=True)
class TileRecord:
    """Record of one tile.

    Attributes
    ----------
    report : PlaneReport
        The record, as if the tile were a plane.
    pixels : float
        Number of valid pixels; those in overlaps count by the tile's blending weight.
    area : float
        The same for all pixels.
    """

    report: PlaneReport
    pixels: float
    area: float


def record_tile(
    index: dict[str, int],
    problem: NoisyPlane,
    result: FitResult,
    weights_yx: NDArray[np.float32],
) -> TileRecord:
    """Return the record of a tile; a small plane is a single tile.

    Parameters
    ----------
    index : dict
        Position of the plane along the image's other axes.
    problem : NoisyPlane
        The noisy tile and its noise.
    result : FitResult
        The denoised tile.
    weights_yx : ndarray of float32, shape (Y, X)
        Blending weights of the tile; 1 everywhere for a whole plane.
    """
    valid = problem.valid_yx
    weights = weights_yx[valid].astype(np.float64)
    before = weights[:, None] * problem.measured_yxs[valid]
    after = weights[:, None] * result.plane_yxs[valid].astype(np.float64)
    values = weights.sum() * problem.plane_yxs.shape[2]
    isolated = float(weights_yx[valid & ~problem.fitted_yx].sum())
    report = PlaneReport(
        index=index,
        noise=NoiseRecord.of(problem.noise),
        quality=_quality_record(result.quality),
        isolated_pixels=round(isolated),
        residual_rms=result.residual_rms,
        steps=result.steps,
        reason=result.reason.value,
        mean_before=float(before.sum() / values) if before.size else None,
        mean_after=float(after.sum() / values) if after.size else None,
        sum_before=float(before.sum()) if before.size else None,
        sum_after=float(after.sum()) if after.size else None,
        candidates=dict(result.weights),
        fill_share=problem.fill_share,
        noise_level_step=result.noise_level_step,
        stop_rules=_stop_rules(
            result.reason.value, result.steps, result.noise_level_step
        ),
    )
    area = float(weights_yx.sum(dtype=np.float64))
    return TileRecord(report, float(weights.sum()), area)


def _stop_rules(reason: str, steps: int, reached: int | None) -> str | None:
    rules = StopRules.of(reason, steps, reached)
    return None if rules is None else rules.value


def _quality_record(quality: Quality | None) -> QualityRecord:
    if quality is None:
        return QualityRecord()
    return QualityRecord(
        quality.held_out_error,
        quality.whiteness,
        quality.verdict.value,
        quality.intensity_bias,
        tuple(warning.value for warning in quality.warnings),
    )


def join_records(records: Sequence[TileRecord]) -> PlaneReport:
    """Return the record of a plane from the records of its tiles.

    Noise levels and errors are root mean squares over the tiles. The verdict is the
    worst one, the reason is that of most pixels. Means and sums are those of the plane.

    Parameters
    ----------
    records : sequence of TileRecord
        At least one.
    """
    tiles = [record.report for record in records]
    if len(tiles) == 1:
        return tiles[0]
    pixels = np.array([record.pixels for record in records])
    shares = pixels / max(float(pixels.sum()), 1e-9)
    mean = _Mean(tiles, shares)
    areas = [record.area for record in records]
    fill_share = float(np.average([tile.fill_share for tile in tiles], weights=areas))
    steps, reason = max(tile.steps for tile in tiles), _joined_reason(tiles, pixels)
    reached = _joined_noise_level_step(tiles)
    return replace(
        tiles[0],
        noise=_joined_noise(tiles, mean),
        quality=_joined_quality(tiles, mean, shares, fill_share),
        isolated_pixels=sum(tile.isolated_pixels for tile in tiles),
        residual_rms=mean.root("residual_rms") or 0.0,
        steps=steps,
        reason=reason,
        noise_level_step=reached,
        stop_rules=_stop_rules(reason, steps, reached),
        mean_before=mean.of("mean_before"),
        mean_after=mean.of("mean_after"),
        sum_before=_sum(tile.sum_before for tile in tiles),
        sum_after=_sum(tile.sum_after for tile in tiles),
        fill_share=fill_share,
        candidates=_joined_weights(tiles, shares),
    )


def _joined_reason(tiles: Sequence[PlaneReport], pixels: NDArray[np.float64]) -> str:
    """Return the reason of most pixels."""
    counts: dict[str, float] = {}
    for tile, count in zip(tiles, pixels, strict=True):
        counts[tile.reason] = counts.get(tile.reason, 0.0) + float(count)
    return max(counts, key=counts.__getitem__)


def _joined_noise_level_step(tiles: Sequence[PlaneReport]) -> int | None:
    """Return the step at which the last tile reached the noise level, if all did.

    Tiles without training are left out: one of pure fill has no residual.
    """
    levels = [tile.noise_level_step for tile in tiles if tile.steps]
    known = [step for step in levels if step is not None]
    return max(known) if known and len(known) == len(levels) else None


def _joined_noise(tiles: Sequence[PlaneReport], mean: _Mean) -> NoiseRecord:
    return replace(
        tiles[0].noise,
        sigma=mean.root("sigma"),
        gain=mean.of("gain"),
        read_noise=mean.root("read_noise"),
        offset=mean.of("offset"),
        clipped_low=mean.of("clipped_low") or 0.0,
        clipped_high=mean.of("clipped_high") or 0.0,
        levels=_distinct(level for one in tiles for level in one.noise.levels),
        grain=mean.root("grain") or 0.0,
    )


def _distinct(levels: Iterable[float]) -> tuple[float, ...]:
    """Return levels in ascending order, one of those that are nearly the same."""
    kept: list[float] = []
    for level in sorted(levels):
        if not kept or level > _APART * kept[-1]:
            kept.append(level)
    return tuple(kept)


def _joined_quality(
    tiles: Sequence[PlaneReport],
    mean: _Mean,
    shares: NDArray[np.float64],
    fill_share: float,
) -> QualityRecord:
    verdicts = [tile.quality.verdict for tile in tiles]
    worst = [one.value for one in _WORST_LAST if one.value in verdicts]
    return QualityRecord(
        held_out_error=mean.root("held_out_error"),
        whiteness=mean.of("whiteness"),
        verdict=worst[-1] if worst else None,
        intensity_bias=_joined_bias(tiles, shares),
        warnings=_joined_warnings(tiles, fill_share),
    )


def _joined_weights(
    tiles: Sequence[PlaneReport], shares: NDArray[np.float64]
) -> dict[str, float]:
    """Return the mean weight of each network; a tile without it counts as 0."""
    names = dict.fromkeys(name for tile in tiles for name in tile.candidates)
    weights = {
        name: [tile.candidates.get(name, 0.0) for tile in tiles] for name in names
    }
    return {name: round(float(shares @ own), 4) for name, own in weights.items()}


def _joined_warnings(
    tiles: Sequence[PlaneReport], fill_share: float
) -> tuple[str, ...]:
    """Return the warnings of all tiles, and that of fill if whole tiles are fill."""
    found = dict.fromkeys(key for tile in tiles for key in tile.warnings)
    if FEW_FILL < fill_share < 1:
        found[PlaneWarning.FILL_IGNORED.value] = None
    return tuple(found)


class _Mean:
    """Weighted means over the tiles in which a value is known."""

    def __init__(
        self, tiles: Sequence[PlaneReport], shares: NDArray[np.float64]
    ) -> None:
        self._tiles = [tile.to_dict() for tile in tiles]
        self._shares = shares

    def of(self, name: str, power: int = 1) -> float | None:
        pairs = [
            (share, tile[name])
            for share, tile in zip(self._shares, self._tiles, strict=True)
        ]
        known = [(share, value) for share, value in pairs if value is not None]
        total = sum(share for share, _ in known)
        if total == 0:
            return None
        return float(sum(share * value**power for share, value in known) / total)

    def root(self, name: str) -> float | None:
        square = self.of(name, power=2)
        return None if square is None else math.sqrt(square)


def _joined_bias(
    tiles: Sequence[PlaneReport], shares: NDArray[np.float64]
) -> tuple[tuple[float, float], ...]:
    """Return the intensity bias of the plane, merged from the bins of all tiles."""
    rows = [
        (intensity, change, share / len(tile.quality.intensity_bias))
        for tile, share in zip(tiles, shares, strict=True)
        for intensity, change in tile.quality.intensity_bias
    ]
    if not rows:
        return ()
    table = np.array(sorted(rows))
    middle = (np.cumsum(table[:, 2]) - table[:, 2] / 2) / table[:, 2].sum()
    groups = [table[(middle * _BINS).astype(int) == k] for k in range(_BINS)]
    return tuple(
        (
            float(np.average(part[:, 0], weights=part[:, 2])),
            float(np.average(part[:, 1], weights=part[:, 2])),
        )
        for part in groups
        if len(part) and part[:, 2].sum() > 0
    )


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
