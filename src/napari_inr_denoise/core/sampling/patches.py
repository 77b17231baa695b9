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

from napari_inr_denoise.core.sampling.coordinates import pixel_coordinates

_RENDER_BATCH = 16384
"""Patches that are predicted at a time, for the memory that they take."""


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
        _, height, width = plane_syx.shape
        self.shape_yx = (height, width)
        self._side = side
        self._spacing_yx = spacing_yx
        self._device = plane_syx.device
        self._targets = self._windows(plane_syx)
        self._weights = self._windows(valid_yx[None].to(plane_syx.dtype))
        self._rows, self._columns = self._targets.shape[:2]

    def _windows(self, planes: Tensor) -> Tensor:
        """Return a view (rows, columns, planes, side, side) of all the patches."""
        over = self._side - 1
        padded = F.pad(planes, (over, over, over, over))
        windows = padded.unfold(1, self._side, 1).unfold(2, self._side, 1)
        return windows.permute(1, 2, 0, 3, 4)

    def _coordinates(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Return the coordinates of the centres of the patches at grid positions."""
        return self._coordinates_of(
            torch.stack([rows, columns], dim=-1) - (self._side - 1)
        )

    def _coordinates_of(self, firsts: Tensor) -> Tensor:
        """Return the coordinates of the centres of patches by their first pixels."""
        centres = firsts + (self._side - 1) / 2
        return pixel_coordinates(centres, self.shape_yx, self._spacing_yx)

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
            The network: coordinates (N, 2) to values (N, samples * side * side).
        stride : int
            Distance between the patches used, at most `side`; 1 averages the most.

        Returns
        -------
        Tensor, shape (samples, Y, X)
        """

        def predict_at(firsts: Tensor) -> Tensor:
            return predict(self._coordinates_of(firsts))

        return render_patches(
            predict_at, self.shape_yx, self._side, stride, self._device
        )


def render_patches(
    predict: Callable[[Tensor], Tensor],
    shape_yx: tuple[int, int],
    side: int,
    stride: int,
    device: torch.device,
) -> Tensor:
    """Return a plane as the mean of the patches that overlap at a pixel.

    Parameters
    ----------
    predict : callable
        From the rows and columns of the patches' first pixels, (N, 2), which begin
        outside of the plane, to their values, (N, samples * side * side).
    shape_yx : tuple of int
        Height and width of the plane.
    side : int
        Of a patch.
    stride : int
        Distance between the patches used, at most `side`; 1 averages the most.
    device : torch.device
        Where to compute.

    Returns
    -------
    Tensor, shape (samples, Y, X)
    """
    over, (height, width) = side - 1, shape_yx
    rows = torch.arange(0, height + over + stride - 1, stride, device=device)
    columns = torch.arange(0, width + over + stride - 1, stride, device=device)
    grid = torch.meshgrid(rows, columns, indexing="ij")
    firsts = torch.stack([grid[0].flatten(), grid[1].flatten()], dim=-1) - over
    patches = torch.cat([predict(part) for part in firsts.split(_RENDER_BATCH)]).T
    counts = [_overlap(along, stride, side) for along in (rows, columns)]
    size = len(counts[0]), len(counts[1])
    summed = F.fold(patches, size, side, stride=stride)
    plane = summed / torch.outer(*counts)
    return plane[:, over : over + height, over : over + width]


def _overlap(firsts: Tensor, stride: int, side: int) -> Tensor:
    """Return how many patches, by their first pixels, cover each pixel.

    Its length is counted here: what a GPU has counted the host would wait for.
    """
    covered = firsts[:, None] + torch.arange(side, device=firsts.device)
    counts = torch.zeros((len(firsts) - 1) * stride + side, device=firsts.device)
    one = torch.ones(covered.numel(), device=firsts.device)
    return counts.index_add_(0, covered.flatten(), one)
