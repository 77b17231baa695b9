"""Square in-plane patches of a volume, and the evaluation of a fit on blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Generator, Tensor

from napari_inr_denoise.core.compute.precision import total
from napari_inr_denoise.core.sampling.coordinates import pixel_coordinates

_BLOCK = 8
"""Side, in pixels, of the blocks on which a fit is evaluated."""
_BLOCKS = 400
"""Number of blocks. Evaluation of a whole large volume would cost more than the fit."""


class VolumePatches:
    """All patches of a volume, each within one plane.

    Parameters
    ----------
    values_szyx : Tensor, shape (samples, Z, Y, X)
        Values to fit, float32.
    counts_zyx : Tensor of bool, shape (Z, Y, X)
        Voxels with a weight in the fit.
    side : int
        Side of a patch in pixels. Patches may extend beyond the planes' edges.
    spacing_zyx : tuple of float
        Size of a voxel, all in the same unit.
    """

    def __init__(
        self,
        values_szyx: Tensor,
        counts_zyx: Tensor,
        side: int,
        spacing_zyx: tuple[float, float, float],
    ) -> None:
        self.samples, *shape = values_szyx.shape
        self.shape_zyx = (shape[0], shape[1], shape[2])
        self.side, self._spacing = side, spacing_zyx
        self._device = values_szyx.device
        # Created once: a tensor from numbers makes the host wait for the GPU.
        middle, over = (side - 1) / 2, side - 1
        self._middle = torch.tensor([0.0, middle, middle], device=self._device)
        self._over = torch.tensor([0, over, over], device=self._device)
        self._values = self._windows(values_szyx)
        self._weights = self._windows(counts_zyx[None].to(values_szyx.dtype))

    def _windows(self, volume: Tensor) -> Tensor:
        """Return all patches as a view, (Z, rows, columns, samples, side, side)."""
        padded = F.pad(volume, (self.side - 1,) * 4)
        windows = padded.unfold(2, self.side, 1).unfold(3, self.side, 1)
        return windows.permute(1, 2, 3, 0, 4, 5)

    def coordinates(self, firsts_zyx: Tensor) -> Tensor:
        """Return the coordinates of patch centres, given the first voxels, (N, 3)."""
        centres = firsts_zyx + self._middle
        return pixel_coordinates(centres, self.shape_zyx, self._spacing)

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw patches uniformly, with replacement.

        Returns
        -------
        coordinates : Tensor, shape (count, 3)
        targets : Tensor, shape (count, samples, side, side)
        weights : Tensor, shape (count, 1, side, side)
            1 at valid target voxels, 0 elsewhere.
        """
        at = self._random(self._values.shape[:3], count, generator)
        planes, rows, columns = at.unbind(1)
        return (
            self.coordinates(at - self._over),
            self._values[planes, rows, columns],
            self._weights[planes, rows, columns],
        )

    def _random(
        self, sizes: tuple[int, ...], count: int, generator: Generator
    ) -> Tensor:
        drawn = [
            torch.randint(size, (count,), generator=generator, device=self._device)
            for size in sizes
        ]
        return torch.stack(drawn, dim=1)

    def judge(self, generator: Generator) -> Judge:
        """Return an evaluation of the residual on random blocks of the volume."""
        block = min(_BLOCK, *self.shape_zyx[1:])
        depth, height, width = self.shape_zyx
        sizes = (depth, height - block + 1, width - block + 1)
        firsts = self._random(sizes, _BLOCKS, generator)
        return Judge(self, firsts, block)

    def block(self, first_zyx: Sequence[int], block: int) -> tuple[Tensor, Tensor]:
        """Return values and weights of a block, (samples or 1, block, block)."""
        plane, row, column = first_zyx
        over = self.side - 1
        rows = slice(row + over, row + over + block)
        columns = slice(column + over, column + over + block)
        # The first pixels of all patches are the padded volume.
        return (
            self._values[plane, rows, columns, :, 0, 0].permute(2, 0, 1),
            self._weights[plane, rows, columns, :, 0, 0].permute(2, 0, 1),
        )


class Judge:
    """Compares a fit with the noisy values in blocks, averaging over all patches.

    Parameters
    ----------
    patches : VolumePatches
        The volume.
    firsts_zyx : Tensor of int, shape (N, 3)
        First voxel of each block.
    block : int
        Side of the blocks, in pixels.
    """

    def __init__(self, patches: VolumePatches, firsts_zyx: Tensor, block: int) -> None:
        pairs = [patches.block(one, block) for one in firsts_zyx.cpu().tolist()]
        self._values = torch.stack([values for values, _ in pairs])
        self._weights = torch.stack([weights for _, weights in pairs])
        self._counted = max(total(self._weights) * patches.samples, 1.0)
        side, over = patches.side, patches.side - 1
        self._side, self._block = side, block
        steps = torch.arange(block + over, device=firsts_zyx.device) - over
        rows, columns = torch.meshgrid(steps, steps, indexing="ij")
        around = torch.stack([torch.zeros_like(rows), rows, columns], dim=-1)
        firsts = firsts_zyx[:, None] + around.view(1, -1, 3)
        self._coordinates = patches.coordinates(firsts.view(-1, 3))

    @torch.no_grad()
    def mean_square(self, predict: Callable[[Tensor], Tensor]) -> float:
        """Return MSE(output, noisy) over the valid voxels of the blocks."""
        over = self._side - 1
        size = self._block + 2 * over
        predicted = predict(self._coordinates)
        by_block = predicted.view(len(self._values), -1, predicted.shape[1])
        summed = F.fold(by_block.transpose(1, 2), (size, size), self._side)
        inside = slice(over, over + self._block)
        # Every pixel of a block is in the same number of patches.
        output = summed[:, :, inside, inside] / self._side**2
        squares = (output - self._values).square() * self._weights
        return total(squares) / self._counted
