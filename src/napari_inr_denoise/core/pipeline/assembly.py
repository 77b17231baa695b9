"""A plane of the result while its tiles come in."""

from __future__ import annotations

from dataclasses import dataclass

from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.ensemble.strength import with_strength
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.plane_report import (
    TileRecord,
    join_records,
    record_tile,
)
from napari_inr_denoise.core.pipeline.state import RunOutput
from napari_inr_denoise.core.report.report import PlaneReport
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.tiling import Tile


@dataclass(frozen=True)
class DenoisedTile:
    """A tile, which is all of a small plane, when it is denoised.

    Attributes
    ----------
    plane : Plane
        Where it lies in the image.
    tile : Tile
        And in the plane.
    problem : NoisyPlane
        Its values and its noise.
    result : FitResult
        At the strength that was asked for.
    record : TileRecord
        What became of it.
    """

    plane: Plane
    tile: Tile
    problem: NoisyPlane
    result: FitResult
    record: TileRecord

    @classmethod
    def of(
        cls,
        plane: Plane,
        tile: Tile,
        problem: NoisyPlane,
        found: FitResult,
        strength: float,
    ) -> DenoisedTile:
        """Return a tile by what a fit has found, at a strength."""
        result = with_strength(problem, found, strength)
        record = record_tile(plane.index, problem, result, tile.weights_yx)
        return cls(plane, tile, problem, result, record)


class PlaneAssembly:
    """One plane of the result while its tiles come in.

    Parameters
    ----------
    output : RunOutput
        Where it is written.
    plane : Plane
        Which one.
    """

    def __init__(self, output: RunOutput, plane: Plane) -> None:
        self._output = output.plane(plane)
        self._records: list[TileRecord] = []

    def add(self, done: DenoisedTile) -> None:
        """Take in the next tile, in the tiling's order."""
        self._output.add(done.tile, done.problem, done.result)
        self._records.append(done.record)

    def record(self) -> PlaneReport:
        """Return what became of the plane, once all tiles have come in."""
        return join_records(self._records)
