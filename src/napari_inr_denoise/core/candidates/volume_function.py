"""A fitted volume as a function of position, evaluated on planes of any resolution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from torch import Tensor

from napari_inr_denoise.core.networks.siren import Siren
from napari_inr_denoise.core.sampling.patches import render_patches
from napari_inr_denoise.core.sampling.volume_patches import VolumePatches

_BAND = 256
"""Rows that are evaluated at once."""

Region = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""Start and stop of planes, rows and columns, in voxels; the stop is excluded."""


@dataclass(frozen=True)
class Grid:
    """Positions at which a fitted volume is evaluated.

    Attributes
    ----------
    depths : ndarray
        Positions of the planes along Z in voxels; 0 is the centre of the first plane.
    zoom : int
        New pixels along Y and X per pixel of the volume.
    rows, columns : tuple of int
        Start and stop in pixels of the volume; the stop is excluded.
    spacing_zyx : tuple of float
        Size of the new voxels, in the unit of the volume's spacing.
    """

    depths: NDArray[np.float64]
    zoom: int
    rows: tuple[int, int]
    columns: tuple[int, int]
    spacing_zyx: tuple[float, float, float]

    @property
    def shape_zyx(self) -> tuple[int, int, int]:
        """Number of new voxels along each axis."""
        height, width = (
            (last - first) * self.zoom for first, last in (self.rows, self.columns)
        )
        return len(self.depths), height, width


@dataclass(frozen=True)
class FittedVolume:
    """Function from position to intensity, fitted to a volume.

    Values between the voxels are interpolated, not measured. They depend on the
    smoothness of the network.

    Attributes
    ----------
    network : Siren
        The network, with averaged weights.
    patches : VolumePatches
        Gives the coordinates; its noisy values are not used.
    offset, scale : float
        Convert the network's values v to the image's units: v * scale + offset.
    spacing_zyx : tuple of float
        Size of a voxel.
    missing_zyxs : ndarray of float32, shape (Z, Y, X, samples), or None
        What the network lacks of a better result at the voxels, see `through`; in the
        image's units. It is interpolated by cubic splines in a plane and linearly
        between planes, and added to the network's values.
    """

    network: Siren = field(repr=False)
    patches: VolumePatches = field(repr=False)
    offset: float
    scale: float
    spacing_zyx: tuple[float, float, float]
    missing_zyxs: NDArray[np.float32] | None = field(default=None, repr=False)

    def through(self, planes: Iterable[NDArray[np.float32]]) -> FittedVolume:
        """Return the function that has given values at the voxels.

        Parameters
        ----------
        planes : iterable of ndarray of float32, shape (Y, X, samples)
            Values of each plane, in the order of Z.
        """
        alone, grid = replace(self, missing_zyxs=None), self.grid()
        missing = [
            values - alone.plane(float(depth), grid)
            for depth, values in enumerate(planes)
        ]
        return replace(self, missing_zyxs=np.stack(missing).astype(np.float32))

    def grid(
        self, *, isotropic: bool = False, zoom: int = 1, region: Region | None = None
    ) -> Grid:
        """Return a regular grid of new voxels.

        Parameters
        ----------
        isotropic : bool
            Whether to choose the number of planes so that voxels are as deep as wide;
            otherwise the planes are those of the volume.
        zoom : int
            New pixels along Y and X per pixel of the volume.
        region : tuple of (start, stop), optional
            Planes, rows and columns in voxels; all if omitted.

        Raises
        ------
        ValueError
            If the zoom is not positive, or the region is empty or outside the volume.
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
        # The new voxels cover the same depth as the old ones.
        steps = (np.arange(count) + 0.5) / count * (last - first)
        spacing = (depth * (last - first) / count, height / zoom, width / zoom)
        return Grid(first + steps - 0.5, zoom, rows, columns, spacing)

    def planes(self, grid: Grid) -> Iterator[NDArray[np.float32]]:
        """Yield the planes of a grid, each (Y, X, samples)."""
        for depth in grid.depths:
            yield self.plane(float(depth), grid)

    def plane(self, depth: float, grid: Grid) -> NDArray[np.float32]:
        """Return one plane, (Y, X, samples), in the image's units.

        Parameters
        ----------
        depth : float
            Position along Z in voxels; 0 is the centre of the first plane.
        grid : Grid
            Gives rows, columns and zoom.
        """
        _, height, width = grid.shape_zyx
        found = np.empty((height, width, self.patches.samples), dtype=np.float32)
        # New pixels with the same offset within a pixel form a grid of unit steps.
        within = (np.arange(grid.zoom) + 0.5) / grid.zoom - 0.5
        for i, down in enumerate(within):
            for j, right in enumerate(within):
                part = self._steps(depth, (float(down), float(right)), grid)
                found[i :: grid.zoom, j :: grid.zoom] = part
        if self.missing_zyxs is not None:
            found += _interpolated(self.missing_zyxs, depth, grid)
        return found

    def _steps(
        self, depth: float, shift: tuple[float, float], grid: Grid
    ) -> NDArray[np.float32]:
        """Return pixels of a plane in unit steps, averaged over all patches."""
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
        """Return one plane of the volume quickly, from patches that do not overlap."""
        shape = self.patches.shape_zyx[1:]
        return self._band((float(plane), 0.0, 0.0), shape, self.patches.side)


def _interpolated(
    values_zyxs: NDArray[np.float32], depth: float, grid: Grid
) -> NDArray[np.float32]:
    """Return a plane of a grid, interpolated between voxels, (Y, X, samples)."""
    last = len(values_zyxs) - 1
    below = min(max(int(depth), 0), last)
    above, share = min(below + 1, last), min(max(depth - below, 0.0), 1.0)
    plane_yxs = values_zyxs[below] * (1 - share) + values_zyxs[above] * share
    across = [
        np.arange(start * grid.zoom, stop * grid.zoom) / grid.zoom
        + (0.5 / grid.zoom - 0.5)
        for start, stop in (grid.rows, grid.columns)
    ]
    if grid.zoom == 1:
        inside = plane_yxs[slice(*grid.rows), slice(*grid.columns)]
        return np.asarray(inside, dtype=np.float32)
    places = np.meshgrid(*across, indexing="ij")
    samples = [
        map_coordinates(plane_yxs[..., k], places, order=3, mode="nearest")
        for k in range(plane_yxs.shape[-1])
    ]
    return np.stack(samples, axis=-1).astype(np.float32)
