"""Options of a run over files."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_inr_denoise.batch.interpolation import Interpolation
from napari_inr_denoise.core.ensemble.maps import MAPS
from napari_inr_denoise.core.settings import DenoiseSettings
from napari_inr_denoise.io.ome_zarr.levels import Levels, check_levels


@dataclass(frozen=True)
class RunOptions:
    """Options that apply to all files of a run.

    Attributes
    ----------
    settings : DenoiseSettings
        How to denoise.
    axes : str or None
        Axes of every file; None takes those of each file.
    same_dtype : bool
        Whether to write the data type of the input, rounded and clipped, instead of
        float32.
    overwrite : bool
        Whether to denoise again what is done, and to replace files that were not
        written by this program, or are results of another source.
    interpolation : Interpolation
        A finer grid to evaluate volumes on.
    maps : tuple of str
        Names of the maps to write beside each result, out of `MAPS`.
    incomplete : bool
        Whether to denoise what is there of an image that lacks a part, see
        `read_image`.
    levels : int or "auto"
        Resolution levels of each OME-Zarr that is written, see `write_image`.

    Raises
    ------
    ValueError
        If the interpolation is not of volumes, a map is unknown, or there is no such
        number of levels.
    """

    settings: DenoiseSettings
    axes: str | None = None
    same_dtype: bool = False
    overwrite: bool = False
    interpolation: Interpolation = field(default_factory=Interpolation)
    maps: tuple[str, ...] = ()
    incomplete: bool = False
    levels: Levels = 1

    def __post_init__(self) -> None:
        check_levels(self.levels)
        if self.interpolation.wanted and self.settings.mode != "volume":
            raise ValueError(
                f"isotropic, zoom: got the mode {self.settings.mode!r}, wanted "
                "'volume'. Only a function that was fitted to a volume can be "
                "evaluated between its voxels."
            )
        unknown = [name for name in self.maps if name not in MAPS]
        if unknown:
            raise ValueError(
                f"maps: got {', '.join(map(repr, unknown))}, wanted one or more of "
                f"{', '.join(MAPS)}."
            )
