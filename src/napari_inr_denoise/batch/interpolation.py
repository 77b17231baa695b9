"""Fitted volumes on a finer grid, written to a file beside the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_inr_denoise.core.candidates.resampled import InterpolatedImage
from napari_inr_denoise.core.candidates.volume_function import FittedVolume
from napari_inr_denoise.io.ome_zarr.levels import Levels
from napari_inr_denoise.io.record import ImageRecord, Quantity
from napari_inr_denoise.io.write import write_image


@dataclass(frozen=True)
class Interpolation:
    """The finer grid that the user asks for.

    Attributes
    ----------
    isotropic : bool
        Whether to add planes until voxels are as deep as they are wide.
    zoom : int
        Number of pixels along Y and X per pixel of the image.
    """

    isotropic: bool = False
    zoom: int = 1

    @property
    def wanted(self) -> bool:
        """Whether the grid differs from that of the image."""
        return self.isotropic or self.zoom > 1


def write_interpolated(
    path: Path,
    record: ImageRecord,
    volumes: Sequence[FittedVolume],
    grid: Interpolation,
    provenance: Mapping[str, Any],
    levels: Levels = 1,
) -> tuple[str, ...]:
    """Evaluate the volumes of an image on a grid, and write them plane by plane.

    Parameters
    ----------
    path : Path
        File to write.
    record : ImageRecord
        The image. Its voxel sizes are replaced by those of the grid.
    volumes : sequence of FittedVolume
        One for each channel and time point.
    grid : Interpolation
        The finer grid.
    provenance : mapping
        How the image was made; a note on the interpolation is added.
    levels : int or "auto"
        See `write_image`.

    Returns
    -------
    tuple of str
        Notes for the user.

    Raises
    ------
    ValueError
        If a volume was not fitted because it holds no noise.
    """
    image = InterpolatedImage(
        volumes,
        record.axes,
        tuple(record.data.shape),
        isotropic=grid.isotropic,
        zoom=grid.zoom,
    )
    # An enlarged image has more pixels than its volumes.
    sizes = dict(zip(record.axes, record.data.shape, strict=True))
    voxels = zip(
        "ZYX", volumes[0].spacing_zyx, volumes[0].patches.shape_zyx, strict=True
    )
    old = {axis: size * count / sizes[axis] for axis, size, count in voxels}
    new = dict(zip("ZYX", image.spacing_zyx, strict=True))
    stated = {
        axis: Quantity(size.value * new.get(axis, 1.0) / old.get(axis, 1.0), size.unit)
        for axis, size in record.stated.items()
    }
    # The centre of the first voxel moves by half of the change in voxel size.
    origin = {
        axis: at + (stated[axis].value - record.stated[axis].value) / 2
        if axis in stated and axis in new
        else at
        for axis, at in record.origin.items()
    }
    finer = replace(record, data=image, origin=origin, calibration=None)
    finer = finer.with_stated(stated)
    write_image(path, finer, {**provenance, "interpolated": image.words}, levels)
    return (f"{path.name}: {image.words}",)
