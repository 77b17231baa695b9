"""A fitted volume as a function of position: any plane, at any resolution."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_inr_denoise.core.networks.siren import Siren
from napari_inr_denoise.core.sampling.patches import render_patches
from napari_inr_denoise.core.sampling.volume_patches import VolumePatches

_BAND = 256
"""Rows that are evaluated at a time."""

Region = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""First and last but one plane, row and column, in voxels."""


@dataclass(frozen=True)
class Grid:
    """Where a fitted volume is evaluated.

    Attributes
    ----------
    depths : ndarray
        Positions of the planes along Z, in voxels; 0 is the centre of the first plane.
    zoom : int
        Pixels along Y and X for each of the volume's own.
    rows, columns : tuple of int
        First and last but one, in the volume's own pixels.
    spacing_zyx : tuple of float
        Of the new voxels, in the unit of the volume's spacing.
    """

    depths: NDArray[np.float64]
    zoom: int
    rows: tuple[int, int]
    columns: tuple[int, int]
    spacing_zyx: tuple[float, float, float]

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """New voxels along each axis."""
        height, width = (
            (last - first) * self.zoom for first, last in (self.rows, self.columns)
        )
        return len(self.depths), height, width


@dataclass(frozen=True)
class FittedVolume:
    """The function from position to intensity that was fitted to a volume.

    Between the voxels its values are interpolation, not measurement: they follow from
    how smooth the network is.

    Attributes
    ----------
    network : Siren
        With the averaged weights.
    patches : VolumePatches
        Knows the positions; its noisy values are not used.
    offset, scale : float
        From the network's values to the image's units.
    spacing_zyx : tuple of float
        Size of a voxel.
    """

    network: Siren = field(repr=False)
    patches: VolumePatches = field(repr=False)
    offset: float
    scale: float
    spacing_zyx: tuple[float, float, float]

    def grid(
        self, *, isotropic: bool = False, zoom: int = 1, region: Region | None = None
    ) -> Grid:
        """Return a regular grid of new voxels.

        Parameters
        ----------
        isotropic : bool
            As many planes as make voxels as deep as they are wide; the volume's own
            planes otherwise.
        zoom : int
            Pixels along Y and X for each of the volume's own.
        region : tuple of (first, last but one), optional
            Planes, rows and columns in voxels; all if omitted.

        Raises
        ------
        ValueError
            If the zoom is not positive, or the region is empty or not inside.
        """
        shape = self.patches.shape_zyx
        chosen = region or tuple((0, size) for size in shape)
        inside = all(0 <= a < b <= n for (a, b), n in zip(chosen, shape, strict=True))
        if zoom < 1 or not inside:
            raise ValueError(
                f"region, zoom: got {chosen} and {zoom}, wanted parts of a volume of "
                f"{shape} voxels and a whole number from 1 up. There is no measurement "
                "outside of the volume to extend."
            )
        (first, last), rows, columns = chosen
        depth, height, width = self.spacing_zyx
        count = last - first
        if isotropic:
            count = max(round(count * depth * zoom / width), 1)
        # New planes fill the same depth as the old ones, each with its whole voxel.
        steps = (np.arange(count) + 0.5) / count * (last - first)
        spacing = (depth * (last - first) / count, height / zoom, width / zoom)
        return Grid(first + steps - 0.5, zoom, rows, columns, spacing)

    def planes(self, grid: Grid) -> Iterator[NDArray[np.float32]]:
        """Yield one plane of a grid after the other, (Y, X, samples)."""
        for depth in grid.depths:
            yield self.plane(float(depth), grid)

    def plane(self, depth: float, grid: Grid) -> NDArray[np.float32]:
        """Return one plane, (Y, X, samples), in the image's units.

        Parameters
        ----------
        depth : float
            Position along Z in voxels; 0 is the centre of the first plane.
        grid : Grid
            For rows, columns and zoom.
        """
        _, height, width = grid.shape_zyx
        found = np.empty((height, width, self.patches.samples), dtype=np.float32)
        # Pixels that lie equally within the volume's own are a grid of whole steps.
        within = (np.arange(grid.zoom) + 0.5) / grid.zoom - 0.5
        for i, down in enumerate(within):
            for j, right in enumerate(within):
                part = self._steps(depth, (float(down), float(right)), grid)
                found[i :: grid.zoom, j :: grid.zoom] = part
        return found

    def _steps(
        self, depth: float, shift: tuple[float, float], grid: Grid
    ) -> NDArray[np.float32]:
        """Return the pixels of a plane that are one apart, all patches averaged."""
        (top, bottom), (left, right) = grid.rows, grid.columns
        bands = [
            self._band(
                (depth, first + shift[0], left + shift[1]),
                (min(_BAND, bottom - first), right - left),
            )
            for first in range(top, bottom, _BAND)
        ]
        return np.concatenate(bands)

    @torch.no_grad()
    def _band(
        self,
        first_zyx: tuple[float, float, float],
        shape_yx: tuple[int, int],
        stride: int = 1,
    ) -> NDArray[np.float32]:
        device = next(self.network.parameters()).device
        start = torch.tensor(first_zyx, device=device)

        def predict(firsts: Tensor) -> Tensor:
            places = torch.cat([torch.zeros_like(firsts[:, :1]), firsts], dim=1)
            coordinates = self.patches.coordinates(places + start)
            predicted: Tensor = self.network(coordinates)
            return predicted

        plane = render_patches(predict, shape_yx, self.patches.side, stride, device)
        values = plane.permute(1, 2, 0).cpu().numpy().astype(np.float64)
        return np.asarray(values * self.scale + self.offset, dtype=np.float32)

    def sketch(self, plane: int) -> NDArray[np.float32]:
        """Return one of the volume's own planes quickly, without overlaps."""
        shape = self.patches.shape_zyx[1:]
        return self._band((float(plane), 0.0, 0.0), shape, self.patches.side)
