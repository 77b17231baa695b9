"""Overlapping square patches of a plane: drawn in training, averaged in prediction.

The network predicts a whole patch at each coordinate. At the same quality, this is
about eight times less work than one value per coordinate. Patches may extend beyond the
edge of the plane, where their values have no weight. Every pixel is therefore in the
same number of patches, and a plane may be as small as one pixel.

::

    2x2 patches on a plane of 3x2 pixels; . is outside

    . . . .      patches at 4 x 3 positions;
    . a b .      the first contains only a,
    . c d .      the last only f
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
"""Patches per batch of a prediction; limits the memory."""


class PatchGrid:
    """All patches of one plane.

    Parameters
    ----------
    plane_syx : Tensor, shape (samples, Y, X)
        Values to fit, float32.
    valid_yx : Tensor of bool, shape (Y, X)
        Pixels with a weight in the fit.
    side : int
        Side of a patch in pixels.
    spacing_yx : tuple of float
        Height and width of a pixel, both in the same unit.
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
        """Return all patches as a view, (rows, columns, planes, side, side)."""
        over = self._side - 1
        padded = F.pad(planes, (over, over, over, over))
        windows = padded.unfold(1, self._side, 1).unfold(2, self._side, 1)
        return windows.permute(1, 2, 0, 3, 4)

    def _coordinates(self, rows: Tensor, columns: Tensor) -> Tensor:
        """Return the coordinates of the patch centres at grid positions."""
        return self._coordinates_of(
            torch.stack([rows, columns], dim=-1) - (self._side - 1)
        )

    def _coordinates_of(self, firsts: Tensor) -> Tensor:
        """Return the coordinates of the patch centres, given the first pixels."""
        centres = firsts + (self._side - 1) / 2
        return pixel_coordinates(centres, self.shape_yx, self._spacing_yx)

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw patches uniformly, with replacement.

        Returns
        -------
        coordinates : Tensor, shape (count, 2)
        targets : Tensor, shape (count, samples, side, side)
        weights : Tensor, shape (count, 1, side, side)
            1 at valid target pixels, 0 elsewhere.
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
        """Predict the plane: the mean of the patches that overlap at each pixel.

        Parameters
        ----------
        predict : callable
            Network from coordinates (N, 2) to values (N, samples * side * side).
        stride : int
            Distance between patches, at most `side`; 1 averages over the most patches.

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
    """Return a plane as the mean of the patches that overlap at each pixel.

    Parameters
    ----------
    predict : callable
        From the (row, column) of the first pixels of patches, (N, 2), to their values,
        (N, samples * side * side). First pixels may be outside the plane.
    shape_yx : tuple of int
        Height and width of the plane.
    side : int
        Side of a patch, in pixels.
    stride : int
        Distance between patches, at most `side`; 1 averages over the most patches.
    device : torch.device
        Device of the computation.

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
    """Return the number of patches that cover each pixel, given the first pixels.

    The length is computed on the host, which therefore does not wait for the GPU.
    """
    covered = firsts[:, None] + torch.arange(side, device=firsts.device)
    counts = torch.zeros((len(firsts) - 1) * stride + side, device=firsts.device)
    one = torch.ones(covered.numel(), device=firsts.device)
    return counts.index_add_(0, covered.flatten(), one)
