"""Assembly of one plane of the result from its tiles."""

from __future__ import annotations

from dataclasses import dataclass

from napari_inr_denoise.core.ensemble.plane_result import FitResult
from napari_inr_denoise.core.ensemble.strength import with_strength
from napari_inr_denoise.core.noise.noisy_plane import NoisyPlane
from napari_inr_denoise.core.pipeline.output.state import RunOutput
from napari_inr_denoise.core.pipeline.planes.image_units import in_image_units
from napari_inr_denoise.core.pipeline.planes.plane_report import (
    TileRecord,
    join_records,
    record_tile,
)
from napari_inr_denoise.core.report.report import PlaneReport
from napari_inr_denoise.image.axes import Plane
from napari_inr_denoise.image.tiling import Tile


@dataclass(frozen=True)
class DenoisedTile:
    """A denoised tile; a small plane is a single tile.

    Attributes
    ----------
    plane : Plane
        Position of the plane in the image.
    tile : Tile
        Position of the tile in the plane.
    problem : NoisyPlane
        Noisy values and their noise.
    result : FitResult
        The result at the strength in the settings.
    record : TileRecord
        Record of the tile for the report.
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
        fitted: FitResult,
        strength: float,
    ) -> DenoisedTile:
        """Return a tile from the result of its fit, at a denoising strength.

        In the image's units, also if the tile was divided to even out its noise.
        """
        problem, fitted = in_image_units(problem, fitted)
        result = with_strength(problem, fitted, strength)
        record = record_tile(plane.index, problem, result, tile.weights_yx)
        return cls(plane, tile, problem, result, record)


class PlaneAssembly:
    """One plane of the result, written tile by tile.

    Parameters
    ----------
    output : RunOutput
        Output of the run.
    plane : Plane
        The plane to write.
    """

    def __init__(self, output: RunOutput, plane: Plane) -> None:
        self._output = output.plane(plane)
        self._records: list[TileRecord] = []

    def add(self, done: DenoisedTile) -> None:
        """Write the next tile, in the tiling's order."""
        self._output.add(done.tile, done.problem, done.result)
        self._records.append(done.record)

    def record(self) -> PlaneReport:
        """Return the record of the plane, after its last tile."""
        return join_records(self._records)
