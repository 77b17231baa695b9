"""A plane as overlapping square patches: drawn for training, averaged to render.

The network predicts a whole patch at each coordinate, which is about eight times
less work than one value per coordinate at the same quality. Patches may hang over
the plane's edge, where their values do not count, so every pixel lies in equally
many patches and a plane may be as small as one pixel.

::

    patch 2x2 on a plane of 3x2; . is outside

    . . . .      patches at 4 x 3 positions,
    . a b .      of which the first sees only a
    . c d .      and the last only f
    . e f .
    . . . .
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Generator, Tensor

from napari_inr_denoise.core.coordinates import pixel_coordinates

_RENDER_BATCH = 16384


class PatchGrid:
    """All patches of one plane.

    Parameters
    ----------
    plane_syx : Tensor, shape (samples, Y, X)
        Values to fit, float32.
    valid_yx : Tensor of bool, shape (Y, X)
        Pixels that count.
    side : int
        Side of a patch in pixels.
    spacing_yx : tuple of float
        Height and width of a pixel; any one unit.
    """

    def __init__(
        self,
        plane_syx: Tensor,
        valid_yx: Tensor,
        side: int,
        spacing_yx: tuple[float, float],
    ) -> None:
        self.samples, *shape = plane_syx.shape
        self.shape_yx = (shape[0], shape[1])
        self.side = side
        self._spacing_yx = spacing_yx
        self._device = plane_syx.device
        self._targets = self._windows(plane_syx)
        self._weights = self._windows(valid_yx[None].to(plane_syx.dtype))
        self._rows, self._columns = self._targets.shape[:2]

    @property
    def values_per_patch(self) -> int:
        """How many values the network predicts at a coordinate."""
        return self.samples * self.side**2

    def _windows(self, planes: Tensor) -> Tensor:
        """Return a view (rows, columns, planes, side, side) of all the patches."""
        over = self.side - 1
        padded = F.pad(planes, (over, over, over, over))
        windows = padded.unfold(1, self.side, 1).unfold(2, self.side, 1)
        return windows.permute(1, 2, 0, 3, 4)

    def _coordinates(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Return the coordinates of the centres of the patches at grid positions."""
        centre = (self.side - 1) / 2
        first_pixel = torch.stack([rows, columns], dim=-1) - (self.side - 1)
        return pixel_coordinates(first_pixel + centre, self.shape_yx, self._spacing_yx)

    def _overlap(self, firsts: Tensor) -> Tensor:
        """Return how many patches, by their first pixels, cover each pixel."""
        covered = firsts[:, None] + torch.arange(self.side, device=self._device)
        return torch.bincount(covered.flatten()).to(torch.float32)

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw patches uniformly, with replacement.

        Returns
        -------
        coordinates : Tensor, shape (count, 2)
        targets : Tensor, shape (count, samples, side, side)
        weights : Tensor, shape (count, 1, side, side)
            1 where the target counts, 0 elsewhere.
        """
        flat = torch.randint(
            self._rows * self._columns,
            (count,),
            generator=generator,
            device=self._device,
        )
        rows = torch.div(flat, self._columns, rounding_mode="floor")
        columns = flat % self._columns
        return (
            self._coordinates(rows, columns),
            self._targets[rows, columns],
            self._weights[rows, columns],
        )

    @torch.no_grad()
    def render(self, predict: Callable[[Tensor], Tensor], stride: int) -> Tensor:
        """Return the plane as the mean of the predictions that overlap at a pixel.

        Parameters
        ----------
        predict : callable
            The network: coordinates (N, 2) to values (N, values_per_patch).
        stride : int
            Distance between the patches used, at most `side`; 1 averages the most.

        Returns
        -------
        Tensor, shape (samples, Y, X)
        """
        rows = torch.arange(0, self._rows + stride - 1, stride, device=self._device)
        columns = torch.arange(
            0, self._columns + stride - 1, stride, device=self._device
        )
        grid = torch.meshgrid(rows, columns, indexing="ij")
        at = self._coordinates(grid[0].flatten(), grid[1].flatten())
        patches = torch.cat([predict(part) for part in at.split(_RENDER_BATCH)]).T
        size = (int(rows[-1]) + self.side, int(columns[-1]) + self.side)
        total = F.fold(patches, size, self.side, stride=stride)
        plane = total / torch.outer(self._overlap(rows), self._overlap(columns))
        over, (height, width) = self.side - 1, self.shape_yx
        return plane[:, over : over + height, over : over + width]
