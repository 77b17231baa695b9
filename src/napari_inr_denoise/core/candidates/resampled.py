"""An image at another resolution, from the functions fitted to its volumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_inr_denoise.core.candidates.volume_function import (
    FittedVolume,
    Grid,
    Region,
)
from napari_inr_denoise.image.axes import planes_of
from napari_inr_denoise.image.indexing import Bounds, block_shape
from napari_inr_denoise.image.virtual_array import VirtualArray

_VOLUME = "ZYXS"


class InterpolatedImage(VirtualArray):
    """A lazy array of volumes on a new grid; planes are evaluated when they are read.

    Values between the measured voxels are interpolated, not measured. Interpolation
    shows nothing smaller than the resolution of the microscope. `words` states this;
    keep it with the image.

    Parameters
    ----------
    volumes : sequence of FittedVolume
        Fitted functions from a run in the mode "volume" (`DenoiseResult.volumes`).
    axes : str
        Axes of the image, one letter per dimension.
    shape : tuple of int
        Shape of the image.
    isotropic : bool
        Whether to choose the number of planes so that voxels are as deep as wide.
    zoom : int
        New pixels along Y and X per pixel of the image.
    region : tuple of (start, stop), optional
        Planes, rows and columns of the image; all if omitted.

    Attributes
    ----------
    axes : str
        One letter per dimension.
    shape : tuple of int
        Shape of the new grid.
    dtype : dtype
        float32.
    spacing_zyx : tuple of float
        Size of the new voxels, in the unit of the run's spacing.

    Raises
    ------
    ValueError
        If the number of functions is not that of the volumes, or the grid is invalid.
    """

    dtype: np.dtype[Any] = np.dtype(np.float32)

    def __init__(
        self,
        volumes: Sequence[FittedVolume],
        axes: str,
        shape: tuple[int, ...],
        *,
        isotropic: bool = False,
        zoom: int = 1,
        region: Region | None = None,
    ) -> None:
        sizes = dict(zip(axes, shape, strict=True))
        self._outer = [letter for letter in axes if letter not in _VOLUME]
        self._counts = [sizes[letter] for letter in self._outer]
        if len(volumes) != math.prod(self._counts):
            raise ValueError(
                f"volumes: got {len(volumes)}, wanted {math.prod(self._counts)}, one "
                "for each channel and time point. Denoise in the mode 'volume', to the "
                "end; a volume without noise has no function."
            )
        self._volumes = volumes
        self._grid: Grid = volumes[0].grid(
            isotropic=isotropic, zoom=zoom, region=region
        )
        self.axes = axes
        sizes |= dict(zip("ZYX", self._grid.shape_zyx, strict=True))
        self.shape = tuple(sizes[letter] for letter in axes)
        self.spacing_zyx = self._grid.spacing_zyx
        self._kept: tuple[tuple[int, int], NDArray[np.float32]] | None = None

    @property
    def words(self) -> str:
        """A sentence that tells the user that the image is interpolated."""
        size = "x".join(str(n) for n in self._grid.shape_zyx)
        return (
            f"Interpolated to {size} voxels from the function fitted to the volume: "
            "what lies between the measured voxels was not measured."
        )

    def _block(self, bounds: list[Bounds]) -> NDArray[np.float32]:
        of = dict(zip(self.axes, bounds, strict=True))
        rows, columns, samples = (slice(*of.get(letter, (0, 1))) for letter in "YXS")
        block = np.empty(block_shape(bounds), dtype=np.float32)
        for at in planes_of(self.axes, block.shape):
            index = {letter: of[letter][0] + k for letter, k in at.index.items()}
            values = self._plane(index)[rows, columns, samples]
            if "S" not in self.axes:
                values = values[..., 0]
            block[at.selection] = values.transpose(["YXS".index(a) for a in at.axes])
        return block

    def _plane(self, index: dict[str, int]) -> NDArray[np.float32]:
        """Return a plane, (Y, X, samples); the last one is cached."""
        number = 0
        for letter, count in zip(self._outer, self._counts, strict=True):
            number = number * count + index[letter]
        key = number, index.get("Z", 0)
        if self._kept is None or self._kept[0] != key:
            depth = float(self._grid.depths[key[1]])
            self._kept = key, self._volumes[number].plane(depth, self._grid)
        return self._kept[1]
