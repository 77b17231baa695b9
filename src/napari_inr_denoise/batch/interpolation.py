"""Fitted volumes on a finer grid, as a file of their own beside the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_inr_denoise.core.candidates.resampled import InterpolatedImage
from napari_inr_denoise.core.candidates.volume_function import FittedVolume
from napari_inr_denoise.io.record import ImageRecord, Quantity
from napari_inr_denoise.io.write import write_image


@dataclass(frozen=True)
class Interpolation:
    """The grid that is asked for; none where nothing is.

    Attributes
    ----------
    isotropic : bool
        As many planes as make voxels as deep as they are wide.
    zoom : int
        Pixels along Y and X for each of the image's own.
    """

    isotropic: bool = False
    zoom: int = 1

    @property
    def wanted(self) -> bool:
        """Whether there is anything to interpolate."""
        return self.isotropic or self.zoom > 1


def write_interpolated(
    path: Path,
    record: ImageRecord,
    volumes: Sequence[FittedVolume],
    grid: Interpolation,
    provenance: Mapping[str, Any],
) -> tuple[str, ...]:
    """Evaluate the volumes of an image on a grid, and write them plane by plane.

    Parameters
    ----------
    path : Path
        Of the file to write.
    record : ImageRecord
        The image; sizes of its voxels become those of the grid.
    volumes : sequence of FittedVolume
        One for each channel and time point.
    grid : Interpolation
        What is wanted.
    provenance : mapping
        How the image was made; that it is interpolated is added.

    Returns
    -------
    tuple of str
        What the user should know, in sentences.

    Raises
    ------
    ValueError
        If a volume was not fitted, for it holds no noise.
    """
    image = InterpolatedImage(
        volumes,
        record.axes,
        tuple(record.data.shape),
        isotropic=grid.isotropic,
        zoom=grid.zoom,
    )
    old = dict(zip("ZYX", volumes[0].spacing_zyx, strict=True))
    new = dict(zip("ZYX", image.spacing_zyx, strict=True))
    stated = {
        axis: Quantity(size.value * new.get(axis, 1.0) / old.get(axis, 1.0), size.unit)
        for axis, size in record.stated.items()
    }
    # The first voxel's centre moves by half of what the voxel has become smaller.
    origin = {
        axis: at + (stated[axis].value - record.stated[axis].value) / 2
        if axis in stated and axis in new
        else at
        for axis, at in record.origin.items()
    }
    finer = replace(record, data=image, ome_xml="", origin=origin).with_stated(stated)
    write_image(path, finer, {**provenance, "interpolated": image.words})
    return (f"{path.name}: {image.words}",)
